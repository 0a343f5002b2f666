#pragma once
/*
 * replays: what is kept of a task so that it can be run again: its request as it was, the base (a layer that is
 * held), and the model's replies as a transcript (warder-transcript(5)). Of each user's newest tasks only; when the user's
 * disk is needed for something else, the oldest goes first.
 */
#include "supervisor/front/tasks/task.h"

#define REPLAYS_KEPT_MAX   8u
#define REPLAY_REPLIES_MAX (16u << 20) /* bytes of a task's recorded replies */
#define REPLAY_REPLY_MAX   (512u << 10)

/** replay_keep() - of a task whose base is there; where it cannot be kept, that is logged */
void replay_keep(Task *task);
/** replay_reply() - a model's reply, as the agent tells it: an entry of a transcript. Returns: 0, -E2BIG, negative errno */
int replay_reply(Task *task, const cJSON *entry, Error *err);

typedef struct Replay {
        cJSON *params;             /* owned: of task.start */
        uint8_t base[DIGEST_SIZE]; /* a layer that is held */
        int transcript_fd;         /* owned: a sealed memfd */
} Replay;

/** replay_take() - of a task that has ended. Returns: 0, -ENOENT, -EFBIG with a sentence, another errno */
int replay_take(Front *front, const char *task, Replay *ret, Error *err);
/** replay_deinit() */
void replay_deinit(Replay *replay);

/** replays_hold() - at start: the bases of those that are kept */
int replays_hold(Front *front, Holds *holds, Error *err);
/** replays_evict() - let the oldest of @uid go that no task uses now. Returns: was there one */
bool replays_evict(Front *front, Holds *holds, uint32_t uid);
