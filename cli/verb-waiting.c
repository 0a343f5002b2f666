/*
 * verb-waiting: see verb-waiting.h. The supervisor starts no program to tell a person anything; with --exec this
 * command does, as the user who runs it.
 */
#include "cli/verb-waiting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/hook.h"
#include "cli/terminal.h"

typedef struct WaitingOptions {
        Common common;
        bool watch;
        const char *exec;
} WaitingOptions;

static const Option waiting_options[] = {
        { "watch", 0, OPTION_FLAG, offsetof(WaitingOptions, watch), NULL,
          "Stay, and tell of each new one as it comes" },
        { "exec", 0, OPTION_TEXT, offsetof(WaitingOptions, exec), "CMD",
          "Run CMD by the shell for each, with the question as JSON on its stdin (stays, as "
          "--watch)" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Watching {
        const WaitingOptions *options;
        bool again;      /* something was missed: ask for the list */
        bool is_listing; /* what comes meanwhile is in the list, too: its last page is made after it */
} Watching;

/* ---- telling ---------------------------------------------------------------------------------------- */

static void show_row(const cJSON *question) {
        show_text(question, "task", 12);
        show_text(question, "question", 12);
        show_text(question, "about", 8);
        show_text(question, "until", 24);
        printf("%s  ", json_true(question, "yours") ? "you   " : "others");
        show_text(question, "text", 0);
        putchar('\n');
        (void) fflush(stdout);
}

static void show_head(void) {
        printf("%-12s  %-12s  %-8s  %-24s  %-6s  %s\n", "TASK", "QUESTION", "ABOUT", "UNTIL", "FOR",
               "TEXT");
}

static void tell(const Watching *watching, const cJSON *question) {
        const char *decision = json_text(question, "decision");
        Error err = ERROR_EMPTY;
        int code;

        if (!decision || strcmp(decision, "open") != 0)
                return;
        if (!watching->options->exec) {
                if (watching->options->common.json)
                        events_result(question);
                else
                        show_row(question);
                return;
        }
        code = hook_run(watching->options->exec, question, &err);
        if (code < 0)
                terminal_say("%s", err.text);
        else if (code > 0)
                terminal_say("the command for %s ended with %d",
                             json_text(question, "question") ? json_text(question, "question")
                                                             : "?",
                             code);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Watching *watching = userdata;

        if (strcmp(method, "task.waiting") != 0 || watching->is_listing)
                return;
        if (json_true(params, "lagged")) {
                watching->again = true;
                link_stop(link);
        } else {
                tell(watching, params);
        }
}

static void on_signal(Link *link, int signal, void *userdata) {
        (void) signal;
        (void) userdata;
        link_stop(link);
}

/* ---- asking ----------------------------------------------------------------------------------------- */

static int ask_list(Link *link, Watching *watching, Error *err) {
        const WaitingOptions *options = watching->options;
        bool stays = options->watch || options->exec;
        Ask ask = { .method = "task.waiting", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        const cJSON *question;
        int r;

        if (stays)
                json_add_bool(ask.params, "watch", true);
        watching->is_listing = true;
        r = ask_pages(link, &ask, &answer, err);
        watching->is_listing = false;
        if (r == 0 && options->common.json && !stays) {
                events_result(answer.result);
        } else if (r == 0) {
                if (!options->common.json && !options->exec)
                        show_head();
                cJSON_ArrayForEach(question, json_get(answer.result, "questions")) {
                        tell(watching, question);
                }
        }
        answer_deinit(&answer);
        return r;
}

static int run_link(Link *link, Watching *watching, Error *err) {
        const WaitingOptions *options = watching->options;
        int r = ask_list(link, watching, err);

        if (!options->watch && !options->exec)
                return r;
        while (r == 0) {
                watching->again = false;
                r = link_listen(link, err);
                if (r != 0 || !watching->again)
                        break;
                r = ask_list(link, watching, err);
        }
        return r == LINK_E_STOPPED ? 0 : r;
}

static int run(const VerbCall *call, Error *err) {
        const WaitingOptions *options = call->options;
        Watching watching = { .options = options };
        Link link = LINK_EMPTY;
        int r = link_open(&link, options->common.socket, err);

        if (r == 0)
                r = link_catch_signals(&link, err);
        link.on_note = on_note;
        link.on_signal = on_signal;
        link.userdata = &watching;
        if (r == 0)
                r = run_link(&link, &watching, err);
        link_deinit(&link);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

const Verb verb_task_waiting = {
        .name = "task waiting",
        .summary = "list what tasks ask people; with --exec run a command for each",
        .synopsis = "[--watch] [--exec CMD]",
        .examples = "  warder task waiting\n"
                    "  warder task waiting --exec 'mail -s \"$WARDER_TASK waits\" me@example.org'",
        .exits = EXITS_PLAIN,
        .options = waiting_options,
        .size = sizeof(WaitingOptions),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
