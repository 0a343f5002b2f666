/*
 * The verb "logs". The supervisor hands over what is kept, its beginning and its end, and with --follow a pipe for what
 * comes after it. The pipe ends with the command, or when we do not read fast enough: then we ask again, and know
 * by the count of all bytes where we were.
 */
#include "cli/verb-logs.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/link.h"
#include "cli/put.h"
#include "cli/terminal.h"

#define KEPT_MAX   (16u << 20)
#define CHUNK      65536
#define PAUSE_MSEC 50

typedef struct LogsOptions {
        Common common;
        bool follow;
} LogsOptions;

static const Option logs_options[] = {
        { "follow", 'f', OPTION_FLAG, offsetof(LogsOptions, follow), NULL,
          "Go on with what it writes, until it ends" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Logs {
        const LogsOptions *options;
        const char *jail;
        const char *command;
        uint64_t shown; /* bytes of all that it ever wrote */
        bool ended;
} Logs;

static int put(const char *bytes, size_t n, Error *err) {
        int r = put_bytes(bytes, n);

        return r < 0 ? error_set(err, r, "write what it wrote") : 0;
}

/* Of the kept bytes those that were not shown yet: they are the first @cut ones of all, and the last */
static int show_kept(Logs *logs, const cJSON *result, const char *bytes, size_t n, Error *err) {
        uint64_t seen = 0, cut = 0, tail;
        char lost[UNITS_TEXT_MAX];
        int r = 0;

        (void) json_number(result, "seen", &seen);
        (void) json_number(result, "cut_at", &cut);
        if (cut > n)
                cut = n;
        tail = seen < n - cut ? 0 : seen - (n - cut); /* where the last ones begin */
        if (logs->shown < cut) {
                r = put(bytes + logs->shown, (size_t) (cut - logs->shown), err);
                logs->shown = cut;
        }
        if (r == 0 && logs->shown < tail) {
                terminal_say("%s not kept", units_format_count(tail - logs->shown, "byte", lost));
                logs->shown = tail;
        }
        if (r == 0 && logs->shown < seen)
                r = put(bytes + cut + (logs->shown - tail), (size_t) (seen - logs->shown), err);
        logs->shown = seen > logs->shown ? seen : logs->shown;
        return r;
}

static int show_pipe(Logs *logs, int fd, Error *err) {
        char bytes[CHUNK];
        ssize_t n;

        while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
                int r = n < 0 ? 0 : put(bytes, (size_t) n, err);

                if (n < 0 && errno != EINTR)
                        return error_set(err, -errno, "read what it writes");
                if (r < 0)
                        return r;
                logs->shown += n > 0 ? (uint64_t) n : 0;
        }
        return 0;
}

static int show_answer(Logs *logs, Link *link, const Answer *answer, Error *err) {
        autofree char *bytes = NULL;
        size_t n = 0;
        int r;

        logs->ended = !json_true(answer->result, "running");
        if (answer->message.n_fds == 0) { /* it is about to start, or to end */
                if (!logs->ended)
                        link_pause(link, PAUSE_MSEC);
                return 0;
        }
        r = fd_read_all_at(answer->message.fds[0], 0, KEPT_MAX, &bytes, &n);
        if (r < 0)
                return error_set(err, r, "read what was kept");
        r = show_kept(logs, answer->result, bytes, n, err);
        if (r == 0 && !logs->ended && answer->message.n_fds > 1)
                r = show_pipe(logs, answer->message.fds[1], err);
        return r;
}

static int ask(Logs *logs, Link *link, Error *err) {
        Ask ask = { .method = "jail.logs", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", logs->jail);
        json_add_text(ask.params, "command", logs->command);
        if (logs->options->follow)
                json_add_bool(ask.params, "follow", true);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0 && logs->options->common.json)
                events_result(answer.result);
        else if (r == 0)
                r = show_answer(logs, link, &answer, err);
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int run(const VerbCall *call, Error *err) {
        Logs logs = { .options = call->options };
        Link link = LINK_EMPTY;
        int r;

        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL,
                                 "Name a jail and one of its commands; 'warder ls JAIL' lists "
                                 "them.");
                return VERB_E_USAGE;
        }
        if (logs.options->follow && logs.options->common.json) {
                (void) error_say(err, -EINVAL, "--follow and --json exclude each other.");
                return VERB_E_USAGE;
        }
        logs.jail = call->words[0];
        logs.command = call->words[1];
        r = link_open(&link, logs.options->common.socket, err);
        if (r == 0)
                r = ask(&logs, &link, err);
        while (r == 0 && logs.options->follow && !logs.ended)
                r = ask(&logs, &link, err);
        link_deinit(&link);
        return r;
}

const Verb verb_logs = {
        .name = "logs",
        .summary = "show what a command in the background has written",
        .synopsis = "[--follow] JAIL COMMAND",
        .text = "Of much output the beginning and the end are kept, as much as the policy's "
                "output_keep\n"
                "says and 1 MiB at most; how many bytes are missing is said on stderr. With --json "
                "what\n"
                "is known of the command is printed instead.",
        .examples = "  warder logs j-7f3kq2m4ab c-n5w2x7ktq4\n"
                    "  warder logs -f j-7f3kq2m4ab $(warder exec -d j-7f3kq2m4ab -- make)",
        .exits = EXITS_PLAIN,
        .options = logs_options,
        .size = sizeof(LogsOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
