/*
 * providers: which there are.
 */
#include "agent/model/providers.h"

#include <string.h>

#include "agent/model/openai.h"
#include "agent/model/replay.h"

static int make_replay(const cJSON *model, int transcript_fd, Loop *loop, Provider **ret,
                       Error *err) {
        (void) model;
        (void) loop;
        if (transcript_fd < 0)
                return error_say(err, -EINVAL, "the recorded model has no transcript");
        return replay_new(transcript_fd, ret, err);
}

static int make_openai(const cJSON *model, int transcript_fd, Loop *loop, Provider **ret,
                       Error *err) {
        (void) transcript_fd;
        return openai_new(json_text(model, "base_url"), json_text(model, "model"), loop, ret, err);
}

static const struct {
        const char *name;
        int (*make)(const cJSON *model, int transcript_fd, Loop *loop, Provider **ret, Error *err);
} providers[] = {
        { "replay", make_replay },
        { "openai", make_openai },
};

int providers_new(const cJSON *model, int transcript_fd, Loop *loop, Provider **ret_provider,
                  Error *err) {
        const char *name = json_text(model, "provider");

        for (unsigned i = 0; name && i < ELEMENTS(providers); i++)
                if (strcmp(providers[i].name, name) == 0)
                        return providers[i].make(model, transcript_fd, loop, ret_provider, err);
        return error_say(err, -EINVAL, "there is no model provider \"%.64s\"", name ? name : "");
}
