/*
 * receipt-check: see receipt-check.h. What the caller names is read with the caller's rights; warder-receipt
 * gets descriptors. The list of heads alone is opened by its path: it is root's, and only root may read it.
 */
#include "cli/receipt-check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/json.h"
#include "base/owned.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/places.h"
#include "cli/programs.h"
#include "cli/terminal.h"
#include "cli/user-file.h"
#include "cli/verbs.h"

#define PROGRAM   "warder-receipt"
#define FILE_MAX  (256ul << 20)
#define KEY_MAX   4096
#define KEYS_MAX  8
#define ARGS_MAX  (2 * KEYS_MAX + 8)
#define PATH_SIZE 40

typedef struct Run {
        int fds[KEYS_MAX + 2]; /* owned */
        char paths[KEYS_MAX + 2][PATH_SIZE];
        unsigned n_fds;
        unsigned n_keys;
        const char *argv[ARGS_MAX + 1];
        unsigned n;
} Run;

static void run_deinit(Run *run) {
        fds_close(run->fds, run->n_fds);
}

static void add(Run *run, const char *word) {
        if (run->n < ARGS_MAX)
                run->argv[run->n++] = word;
}

static int add_file(Run *run, const char *option, const char *path, size_t max, Error *err) {
        unsigned i = run->n_fds;
        int r;

        if (i == ELEMENTS(run->fds))
                return error_say(err, -E2BIG, "Give at most %d keys.", KEYS_MAX);
        r = user_file_spool(path, max, &run->fds[i], err);
        if (r < 0)
                return r;
        run->n_fds++;
        (void) snprintf(run->paths[i], PATH_SIZE, "/proc/self/fd/%d", run->fds[i]);
        if (option)
                add(run, option);
        add(run, run->paths[i]);
        return 0;
}

/* Of the service, of a private supervisor, of the one that the variables name: which is right the receipt says */
static void add_own_keys(Run *run) {
        const char *named = getenv("WARDER_INSTANCE");
        const char *instances[] = { named && *named ? named : "private", "system" };

        for (unsigned i = 0; i < ELEMENTS(instances); i++) {
                char state[PLACE_MAX], path[PLACE_MAX + 16];

                (void) places_state(instances[i], state, sizeof(state));
                (void) snprintf(path, sizeof(path), "%s/receipt.pub", state);
                if (access(path, R_OK) == 0)
                        (void) add_file(run, "--key", path, KEY_MAX, NULL);
        }
}

static int prepare(Run *run, const ReceiptCheck *check, Error *err) {
        int r = 0;

        add(run, PROGRAM);
        for (unsigned i = 0; r == 0 && i < check->keys.n; i++)
                r = add_file(run, "--key", check->keys.items[i], KEY_MAX, err);
        if (check->keys.n == 0)
                add_own_keys(run);
        if (r == 0 && check->patch)
                r = add_file(run, "--patch", check->patch, FILE_MAX, err);
        if (check->anchors) {
                add(run, "--anchors");
                add(run, check->anchors);
        }
        return r < 0 ? r : add_file(run, NULL, check->file, FILE_MAX, err);
}

static void become(const Run *run, int dir, int out) {
        int program = openat(dir, PROGRAM, O_RDONLY | O_CLOEXEC);

        for (unsigned i = 0; i < run->n_fds; i++)
                (void) fcntl(run->fds[i], F_SETFD, 0);
        if (dup2(out, 1) >= 0)
                (void) fexecve(program, (char *const *) (uintptr_t) run->argv,
                               (char *[]){ (char[]){ "LANG=C.UTF-8" }, NULL });
        _exit(errno == ENOENT ? 127 : 126);
}

static int start(const Run *run, char **ret_text, int *ret_status, Error *err) {
        static const char *const folders[] = { "", "/cli/receipt", NULL }; /* installed; built */
        autoclose int dir = program_dir(PROGRAM, folders, err);
        autoclose int in = -EBADF;
        int pair[2], r;
        size_t n = 0;
        pid_t pid;

        if (dir < 0)
                return dir;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set(err, -errno, "start " PROGRAM);
        in = pair[0];
        pid = fork();
        if (pid == 0)
                become(run, dir, pair[1]);
        (void) close(pair[1]);
        if (pid < 0)
                return error_set(err, -errno, "start " PROGRAM);
        r = fd_read_all(in, 65536, ret_text, &n);
        if (waitpid(pid, ret_status, 0) < 0)
                r = -errno;
        return r < 0 ? error_set(err, r, "hear " PROGRAM) : 0;
}

/* ---- for people ---------------------------------------------------------------------------------- */

static void show_fault(const ReceiptCheck *check, const cJSON *found) {
        const char *fault = json_text(found, "fault");
        uint64_t line = 0;

        fprintf(stderr, "%snot good:%s ", terminal_tone(TONE_BAD), terminal_tone(TONE_PLAIN));
        terminal_text(stderr, check->file, 200);
        if (json_number(found, "line", &line) == 0)
                fprintf(stderr, ":%llu", (unsigned long long) line);
        fputs(": ", stderr);
        terminal_text(stderr, fault ? fault : "?", 600);
        fputc('\n', stderr);
        if (json_true(found, "unknown_key"))
                fputs("Name the public key of the host that signed it with --key FILE: its "
                      "receipt.pub, which you\nhave from its administrator, not from where the "
                      "receipt is from.\n",
                      stderr);
}

static void show_row(const cJSON *found, const char *name, const char *title) {
        const char *text = json_text(found, name);

        if (!text)
                return;
        printf("%-10s  ", title);
        terminal_text(stdout, text, 100);
        putchar('\n');
}

static void show_good(const cJSON *found) {
        char line_count[UNITS_TEXT_MAX], signature_count[UNITS_TEXT_MAX];
        uint64_t lines = 0, signatures = 0;

        (void) json_number(found, "lines", &lines);
        (void) json_number(found, "signatures", &signatures);
        show_row(found, "receipt", "receipt");
        printf("%-10s  %s, unbroken; %s, the end's among them\n", "chain",
               units_format_count(lines, "line", line_count),
               units_format_count(signatures, "signature", signature_count));
        show_row(found, "key", "signed by");
        show_row(found, "state", "state");
        show_row(found, "verdict", "verdict");
        show_row(found, "patch", "patch");
}

static int look(const ReceiptCheck *check, cJSON **ret_found, int *ret_status, Error *err) {
        autofree char *text = NULL;
        cJSON *found = NULL;
        Run run = { .n = 0 };
        int status = 0;
        int r = prepare(&run, check, err);

        if (r == 0)
                r = start(&run, &text, &status, err);
        run_deinit(&run);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || !text || json_parse(text, strlen(text), 0, &found, NULL) < 0)
                return error_say(err, -EIO, PROGRAM " ended without an answer.");
        *ret_found = found;
        *ret_status = WEXITSTATUS(status);
        return 0;
}

int receipt_look(const ReceiptCheck *check, cJSON **ret_found, Error *err) {
        int status = 0;

        return look(check, ret_found, &status, err);
}

int receipt_check(const ReceiptCheck *check, Error *err) {
        SCOPED(json_free) cJSON *found = NULL;
        int status = 0;
        int r = look(check, &found, &status, err);

        if (r < 0)
                return r;
        if (check->json)
                events_result(found);
        else if (json_true(found, "good"))
                show_good(found);
        else
                show_fault(check, found);
        return status == 2 ? EXIT_NOT_CARRIED_OUT : status;
}
