/*
 * client: what a hostile supervisor (or whoever listens on its socket) says to the command. Input: a byte for
 * the verb, or for a part of one that shows a tree; a byte for how many descriptors come along; then what the
 * supervisor sends, before it hangs up. Whatever that is, the verb ends, nothing is left behind, and nothing
 * that a terminal acts on is shown.
 */
#include "cli/connect.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fds.h"
#include "base/json.h"
#include "base/owned.h"
#include "cli/budgets.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/reconnect.h"
#include "cli/task-view.h"
#include "cli/verbs.h"
#include "cli/verdict.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 6
#define SAID_MAX  (128u * 1024) /* fits into a socket */

static const char *const calls[][WORDS_MAX] = {
        { "ls" },
        { "ls", "--json" },
        { "exec", "j-aaaaaaaaaa", "true" },
        { "exec", "--json", "j-aaaaaaaaaa", "true" },
        { "rm", "j-aaaaaaaaaa" },
        { "snapshot", "list" },
        { "snapshot", "show", "debian" },
        { "snapshot", "rm", "debian" },
        { "policy", "list" },
        { "policy", "show", "default" },
        { "task", "list" },
        { "task", "show", "t-aaaaaaaaaa" },
        { "task", "watch", "t-aaaaaaaaaa" },
        { "task", "watch", "--json", "t-aaaaaaaaaa" },
        { "task", "cancel", "t-aaaaaaaaaa" },
        { "task", "diff", "t-aaaaaaaaaa" },
        { "task", "log", "t-aaaaaaaaaa" },
        { "task", "log", "--otlp", "-", "t-aaaaaaaaaa" },
        { "snapshot", "fsck" },
        { "snapshot", "gc" },
        { "snapshot", "tag", "debian", "base" },
};

static int supervisor = -EBADF, other_end = -EBADF; /* the command takes the first */

static void must(bool good) {
        if (!good)
                abort();
}

int connect_supervisor(const char *socket, RpcPeer **ret_peer, Error *err) {
        (void) socket;
        if (supervisor < 0)
                return error_say(err, -ECONNREFUSED, "there is one supervisor a call");
        return rpc_peer_new_consume(TAKE_FD(supervisor), ret_peer);
}

int connect_socket(const char *path) {
        (void) path;
        return -ECONNREFUSED;
}

/* ---- what is shown ---------------------------------------------------------------------------------- */

typedef struct Shown {
        FILE *own[2]; /* what the names stood for */
        char *text[2];
        size_t n[2];
} Shown;

static void catch (Shown *shown) {
        shown->own[0] = stdout;
        shown->own[1] = stderr;
        stdout = open_memstream(&shown->text[0], &shown->n[0]);
        stderr = open_memstream(&shown->text[1], &shown->n[1]);
        must(stdout && stderr);
}

/* Escaping it again changes nothing. */
static void check(const char *text, size_t n) {
        Buf again = BUF_EMPTY(64u << 20);

        if (n > 0) {
                must(escape_text(&again, text, n, 1) == 0);
                must(again.len == n && memcmp(again.data, text, n) == 0);
        }
        buf_deinit(&again);
}

/* @program: stdout is for one: JSON, a patch */
static void release(Shown *shown, bool program) {
        (void) fclose(stdout);
        (void) fclose(stderr);
        stdout = shown->own[0];
        stderr = shown->own[1];
        for (unsigned i = 0; i < 2; i++) {
                if (i == 1 || !program)
                        check(shown->text[i], shown->n[i]);
                free(shown->text[i]);
        }
}

/* ---- the target ------------------------------------------------------------------------------------- */

static void say(const char *text, size_t n, unsigned n_fds) {
        const int size = 4 * SAID_MAX;
        int pair[2], fds[4];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        (void) setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        fds[0] = memfd_sealed("said", text, n, false, NULL);
        for (unsigned i = 1; i < ELEMENTS(fds); i++)
                fds[i] = fds[0];
        (void) fd_set_nonblock(pair[1], true);
        if (n > 0)
                (void) fds_send(pair[1], text, n, fds, n_fds);
        (void) shutdown(pair[1], SHUT_WR);
        (void) close(fds[0]);
        supervisor = pair[0];
        other_end = pair[1];
}

static bool run_verb(const char *const *words) {
        char *argv[WORDS_MAX + 1] = { 0 };
        Error err = ERROR_EMPTY;
        const Verb *verb;
        bool program = false;
        int n = 0, used = 0;

        for (; n < WORDS_MAX && words[n]; n++) {
                argv[n] = strdup(words[n]);
                program |= strcmp(words[n], "--json") == 0 || strcmp(words[n], "diff") == 0;
        }
        verb = verbs_find(n, argv, &used, &err);
        must(verb != NULL);
        (void) verbs_run(verb, false, n - used + 1, argv + used - 1);
        while (n > 0)
                free(argv[--n]);
        return program;
}

/* A supervisor that hung up is not waited for: it does not come back */
int reconnect(Link *link, const char *socket, Error *err) {
        return connect_supervisor(socket, &link->peer, err);
}

/* The same event twice, and the tree of a task at a strange size: an array is a list of events */
static void draw_task(const cJSON *json, unsigned part) {
        const ViewSize size = { .width = part * 7, .height = part, .now_usec = UINT64_MAX };
        TaskTree tree = { 0 };
        Buf text = BUF_EMPTY(1 << 20);
        const cJSON *event;

        task_tree_fold(&tree, json);
        task_tree_fold(&tree, json);
        cJSON_ArrayForEach(event, json) task_tree_fold(&tree, event);
        must(tree.n_nodes <= TREE_NODES_MAX);
        if (task_view_render(&tree, &size, &text) == 0 && text.data)
                fputs(text.data, stdout);
        buf_deinit(&text);
        task_tree_deinit(&tree);
}

static void show_tree(const char *text, size_t n, unsigned part) {
        const OutcomeFacts facts = { .name = "true" };
        SCOPED(json_free) cJSON *json = NULL;
        Progress progress = { .replay = part & 4 };
        Buf sentence = BUF_EMPTY(1 << 20);

        if (json_parse(text, n, 0, &json, NULL) < 0)
                return;
        draw_task(json, part);
        (void) verdict_exit_code(json);
        (void) outcome_exit_code(json);
        outcome_sentence(json, &facts, &sentence);
        buf_deinit(&sentence);
        if ((part & 3) == 0)
                verdict_show(stderr, json);
        else if ((part & 3) == 1)
                verdict_line(stderr, json);
        else if ((part & 3) == 2)
                budgets_line(stderr, json);
        else
                progress_event(&progress, json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *text = (const char *) data + 2;
        Shown shown = { 0 };
        sigset_t mask;
        bool program = false;
        int before;

        if (n < 2 || n > SAID_MAX)
                return 0;
        before = dup(0);
        (void) close(before);
        must(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
        catch (&shown);
        if (data[0] < ELEMENTS(calls)) {
                say(text, n - 2, data[1] & 3);
                program = run_verb(calls[data[0]]);
        } else {
                show_tree(text, n - 2, data[0]);
        }
        release(&shown, program);
        fds_close(&supervisor, 1);
        fds_close(&other_end, 1);
        must(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
        must(dup2(before, before) < 0); /* it was the lowest free one, and is free */
        return 0;
}
