/*
 * The verb "task replay": a task once more, with the replies that its model gave; then both are compared.
 */
#include "cli/verb-replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/ids.h"
#include "cli/events.h"
#include "cli/follow.h"
#include "cli/receipt-compare.h"
#include "cli/receipt-fetch.h"
#include "cli/task-word.h"
#include "cli/terminal.h"

#define RECEIPT_MAX (256ul << 20)

static const Option replay_options[] = { OPTIONS_COMMON, { 0 } };

static int start(Link *link, const char *id, char *ret_task, Error *err) {
        Ask ask = { .method = "task.replay", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        const char *task;
        int r;

        json_add_text(ask.params, "task", id);
        r = link_ask(link, &ask, &answer, err);
        task = json_text(answer.result, "task");
        if (r == 0 && (!task || !id_is_valid('t', task)))
                r = error_say(err, -EPROTO, "The supervisor named no task.");
        if (r == 0)
                (void) snprintf(ret_task, ID_MAX, "%s", task);
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int fetch(Link *link, const char *id, char **ret, Error *err) {
        autoclose int fd = -EBADF;
        size_t n = 0;
        int r = receipt_fetch(link, id, &fd, NULL, err);

        if (r == 0 && (r = fd_read_all(fd, RECEIPT_MAX, ret, &n)) < 0)
                (void) error_set(err, r, "read the receipt of %s", id);
        return r;
}

static int compare(Link *link, const char *then, const char *now, cJSON **ret, Error *err) {
        autofree char *old = NULL, *new = NULL;
        int r = fetch(link, then, &old, err);

        if (r == 0)
                r = fetch(link, now, &new, err);
        return r < 0 ? r : receipt_compare(old, new, ret, err);
}

/* ---- what came of it ----------------------------------------------------------------------------- */

static void show_side(const char *title, const char *text) {
        fprintf(stderr, "  %s: ", title);
        terminal_text(stderr, text ? text : "(nothing)", 200);
}

static void show(const char *then, const char *now, const char *state, const cJSON *differ) {
        const cJSON *one;

        if (cJSON_GetArraySize(differ) == 0) {
                fprintf(stderr, "%s%s came to the same as %s: %s%s\n", terminal_tone(TONE_GOOD),
                        now, then, state, terminal_tone(TONE_PLAIN));
                return;
        }
        fprintf(stderr, "%s%s did not come to the same as %s:%s\n", terminal_tone(TONE_BAD), now,
                then, terminal_tone(TONE_PLAIN));
        cJSON_ArrayForEach(one, differ) {
                fputs("  ", stderr);
                terminal_text(stderr, json_text(one, "what"), 32);
                show_side("was", json_text(one, "then"));
                show_side("is now", json_text(one, "now"));
                fputc('\n', stderr);
        }
}

static int tell(const Common *common, const char *then, const Follow *follow, cJSON *differ) {
        bool same = cJSON_GetArraySize(differ) == 0;
        cJSON *json;

        if (!common->json) {
                show(then, follow->task, follow->state, differ);
                json_free(differ);
                return same ? 0 : 1;
        }
        json = cJSON_CreateObject();
        json_add_text(json, "task", follow->task);
        json_add_text(json, "of", then);
        json_add_text(json, "state", follow->state);
        json_add_bool(json, "same", same);
        json_add_consume(json, "differ", differ);
        events_print("replay.end", json);
        return same ? 0 : 1;
}

static int replay(const Common *common, const char *id, Link *link, Follow *follow, Error *err) {
        cJSON *differ = NULL;
        int r = link_catch_signals(link, err);

        follow_attach(follow, link);
        if (r == 0)
                r = start(link, id, follow->task, err);
        if (r == 0)
                r = follow_live(follow, err);
        if (r == 0)
                r = follow_task(follow, 1, err);
        if (r == LINK_E_STOPPED)
                return EXIT_CANCELLED;
        if (r > 0)
                r = -EREMOTEIO;
        if (r == 0)
                r = compare(link, id, follow->task, &differ, err);
        return r < 0 ? r : tell(common, id, follow, differ);
}

static int run(const VerbCall *call, Error *err) {
        const Common *common = call->options;
        const char *id = call->n_words > 0 ? call->words[0] : "";
        Follow follow = FOLLOW_EMPTY;
        Link link = LINK_EMPTY;
        int r = task_word(call, 1, err);

        if (r != 0)
                return r;
        follow.json = common->json;
        follow.socket = common->socket;
        follow.cancels = true;
        follow.progress.replay = true;
        r = link_open(&link, common->socket, err);
        if (r < 0)
                return r;
        r = replay(common, id, &link, &follow, err);
        link_deinit(&link);
        return r;
}

const Verb verb_task_replay = {
        .name = "task replay",
        .summary = "run a task again with the replies that its model gave, and compare",
        .synopsis = "TASK",
        .text = "The same base, request, spec, workflow and policy; no model is asked. It must "
                "come to\n"
                "the same verdict, about the same patch: what differs is shown, and is an error.\n"
                "Kept for this are the newest eight tasks of a user, as far as there is room.",
        .examples = "  warder task replay t-7f3kq2m4ab\n"
                    "  warder task replay t-7f3kq2m4ab --json | tail -n1 | jq .differ",
        .exits = "  0    it came to the same\n"
                 "  1    it did not: what differs is shown\n"
                 "  2    wrong usage\n"
                 "  6    could not be carried out: the message says what is missing\n"
                 "  130  cancelled\n",
        .options = replay_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run,
};
