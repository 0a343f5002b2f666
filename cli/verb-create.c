/*
 * The verb "create": a jail that stays until it is removed.
 */
#include "cli/verb-create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/events.h"
#include "cli/jail-options.h"
#include "cli/link.h"
#include "cli/workdir.h"

typedef struct CreateOptions {
        Common common;
        JailOptions jail;
        const char *user;
        uint64_t wall;
} CreateOptions;

static const Option create_options[] = {
        OPTIONS_JAIL(offsetof(CreateOptions, jail)),
        { "user", 'u', OPTION_TEXT, offsetof(CreateOptions, user), "UID[:GID]", "The jail's user" },
        { "time", 't', OPTION_DURATION, offsetof(CreateOptions, wall), "TIME",
          "End the jail after this time, as 2h" },
        OPTIONS_COMMON,
        { 0 },
};

static int make_params(const CreateOptions *options, cJSON *params, Error *err) {
        cJSON *limits;
        int r = jail_options_add(&options->jail, params, err);

        if (r != 0)
                return r;
        if (options->user && jail_options_user(options->user, params, err) != 0)
                return VERB_E_USAGE;
        if (options->wall) {
                limits = json_get(params, "limits");
                json_add_number(limits ? limits : json_add_object(params, "limits"), "wall",
                                options->wall);
        }
        json_add_bool(params, "keep", true);
        return 0;
}

static int ask_for_jail(Link *link, const cJSON *params, int work, Answer *answer, Error *err) {
        Ask ask = { .method = "jail.create", .params = cJSON_Duplicate(params, true) };

        if (work >= 0)
                ask.fds[ask.n_fds++] = work;
        return link_ask(link, &ask, answer, err);
}

static int create_jail(Link *link, const CreateOptions *options, const cJSON *params, Error *err) {
        autoclose int work = -EBADF, copy = -EBADF;
        Answer answer = ANSWER_EMPTY;
        int r;

        work = jail_options_work(&options->jail, rpc_peer_fd(link->peer), err);
        if (work < 0 && jail_options_has_work(&options->jail))
                return work;
        r = ask_for_jail(link, params, work, &answer, err);
        if (r == LINK_E_REFUSED && work >= 0 && !options->jail.rw &&
            strcmp(answer.code, "unsupported") == 0) {
                answer_deinit(&answer);
                r = workdir_pack(work, &copy, err);
                if (r == 0)
                        r = ask_for_jail(link, params, copy, &answer, err);
        }
        if (r == 0 && options->common.json)
                events_result(answer.result);
        else if (r == 0)
                printf("%s\n", json_text(answer.result, "jail"));
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int run(const VerbCall *call, Error *err) {
        const CreateOptions *options = call->options;
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        Link link = LINK_EMPTY;
        int r = make_params(options, params, err);

        if (r != 0)
                return r;
        if (call->n_words > 0) {
                (void) error_say(err, -EINVAL,
                                 "'create' takes no command; 'warder exec JAIL -- CMD' runs one.");
                return VERB_E_USAGE;
        }
        r = link_open(&link, options->common.socket, err);
        if (r == 0)
                r = create_jail(&link, options, params, err);
        link_deinit(&link);
        return r;
}

const Verb verb_create = {
        .name = "create",
        .summary = "make a jail that stays until it is removed",
        .synopsis = "[OPTION…]",
        .text = "The id of the jail is printed on stdout. The current directory is its /work,\n"
                "copy-on-write, or with --rw DIR that directory itself. It ends with 'warder rm', "
                "its time limit, or the supervisor.\n"
                "With --persistent NAME it is a workspace: its files are on a disk of its own and "
                "stay when it\n"
                "is stopped ('warder stop', 'warder start'), until 'warder rm'. Every verb takes "
                "its name for its id.",
        .examples = "  jail=$(warder create --memory 1G)\n"
                    "  warder exec \"$jail\" -- make; warder rm \"$jail\"\n"
                    "  warder create --persistent dev --disk 20G --idle-stop 30m",
        .exits = EXITS_PLAIN,
        .options = create_options,
        .size = sizeof(CreateOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
