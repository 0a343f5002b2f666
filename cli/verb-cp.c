/*
 * The verb "cp". A child of ours reads or writes the tree on this side, with the user's rights; the stream goes from
 * it to a child of the jail's init (or back) through one pipe, and nobody else sees it. Whoever of the two ends early
 * closes the pipe, and the other one cleans up.
 */
#include "cli/verb-cp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-receive.h"
#include "base/fds.h"
#include "cli/as-user.h"
#include "cli/events.h"
#include "cli/jail-options.h"
#include "cli/link.h"
#include "cli/outcome.h"
#include "cli/tar-in.h"
#include "cli/tar-out.h"
#include "cli/terminal.h"

#define JAIL_MAX     64
#define SHOWN_MAX    20 /* of what is left out, by name */
#define SENTENCE_MAX 1024
#define DEFAULT_MAX  (64ull << 30)

typedef enum CopySide { SIDE_DONE, SIDE_SKIPPED, SIDE_FAILED, SIDE_CUT_OFF } CopySide;

typedef struct CpOptions {
        Common common;
        const char *user;
        uint64_t max;
} CpOptions;

static const Option cp_options[] = {
        { "user", 'u', OPTION_TEXT, offsetof(CpOptions, user), "UID[:GID]",
          "Read or write as this user of the jail" },
        { "max", 0, OPTION_SIZE, offsetof(CpOptions, max), "SIZE",
          "Take no more than this out of a jail (default: 64G)" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Cp {
        const CpOptions *options;
        bool out;
        char jail[JAIL_MAX];
        const char *inside; /* path in the jail */
        const char *local;
        bool is_tar;                  /* "-": an archive on stdin or stdout */
        char name[COPY_NAME_MAX + 1]; /* of what is copied; "": it has none */
        uint64_t skipped;
        uint64_t padded; /* files of an archive that have zeros at their end */
        int signal;      /* that told us to leave; 0: none */
        UserWork work;   /* this side's child; its pid 0: none yet */
        CopySide side;   /* what came of it */
} Cp;

/* ---- words ---------------------------------------------------------------------------------------- */

/* JAIL:PATH has its colon before any slash. Returns: the path, NULL where @word is one of this side */
static const char *path_inside(const char *word, char jail[JAIL_MAX]) {
        size_t n = strcspn(word, ":/");

        if (word[n] != ':' || n == 0 || n >= JAIL_MAX)
                return NULL;
        memcpy(jail, word, n);
        jail[n] = 0;
        return word[n + 1] ? word + n + 1 : ".";
}

/* The last name of a path, without the slashes behind it */
static void take_name(const char *path, char name[COPY_NAME_MAX + 1]) {
        size_t end = strlen(path), begin;

        while (end > 0 && path[end - 1] == '/')
                end--;
        for (begin = end; begin > 0 && path[begin - 1] != '/';)
                begin--;
        name[0] = 0;
        if (end - begin > COPY_NAME_MAX || (end - begin == 1 && path[begin] == '.') ||
            (end - begin == 2 && memcmp(path + begin, "..", 2) == 0))
                return;
        memcpy(name, path + begin, end - begin);
        name[end - begin] = 0;
}

static int check_tar(const Cp *cp, Error *err) {
        if (cp->out && cp->options->common.json)
                (void) error_say(err, -EINVAL, "The archive is on stdout: leave out --json.");
        else if (isatty(cp->out ? STDOUT_FILENO : STDIN_FILENO))
                (void) error_say(err, -EINVAL,
                                 cp->out ? "An archive is nothing for a terminal: send stdout to a "
                                           "file or a command."
                                         : "An archive is expected on stdin, which is a terminal.");
        else
                return 0;
        return VERB_E_USAGE;
}

static int take_words(Cp *cp, const VerbCall *call, Error *err) {
        const char *from, *to;
        char other[JAIL_MAX];

        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL,
                                 "Name what to copy and where to, one of them as "
                                 "JAIL:PATH.");
                return VERB_E_USAGE;
        }
        from = path_inside(call->words[0], cp->jail);
        to = path_inside(call->words[1], from ? other : cp->jail);
        if (!from == !to) {
                (void) error_say(err, -EINVAL,
                                 from ? "Both are in a jail: copy by way of this side."
                                      : "Neither is in a jail: one of them must be JAIL:PATH.");
                return VERB_E_USAGE;
        }
        cp->out = from != NULL;
        cp->inside = from ? from : to;
        cp->local = call->words[from ? 1 : 0];
        cp->is_tar = strcmp(cp->local, "-") == 0;
        if (cp->out || !cp->is_tar)
                take_name(from ? cp->inside : cp->local, cp->name);
        return cp->is_tar ? check_tar(cp, err) : 0;
}

/* ---- this side ------------------------------------------------------------------------------------ */

static void on_skipped(const char *name, int code, void *userdata) {
        Cp *cp = userdata;

        if (++cp->skipped <= SHOWN_MAX)
                terminal_say("%s is left out: %s", name,
                             code == -ENOTSUP ? "it is no file, directory or link"
                             : code == -ELOOP ? "it lies too deep"
                                              : strerror(-code));
}

static mode_t own_umask(void) {
        mode_t mask = umask(0);

        (void) umask(mask);
        return mask;
}

static uint64_t max_bytes(const Cp *cp) {
        return cp->options->max ? cp->options->max : DEFAULT_MAX;
}

/* Between the stream and an archive on our own stdin or stdout */
static int carry_tar(Cp *cp, int fd, Error *err) {
        const TarOut how = { .from = fd,
                             .to = STDOUT_FILENO,
                             .name = cp->name,
                             .max_bytes = max_bytes(cp),
                             .skipped = on_skipped,
                             .userdata = cp,
                             .ret_padded = &cp->padded };

        return cp->out ? tar_out(&how, err) : tar_in(STDIN_FILENO, fd, on_skipped, cp, err);
}

static int carry_files(Cp *cp, int fd, Error *err) {
        const CopyReceive how = { .from = fd,
                                  .place = cp->local,
                                  .name = cp->name,
                                  .umask = own_umask(),
                                  .max_bytes = max_bytes(cp),
                                  .skipped = on_skipped,
                                  .userdata = cp };
        uint64_t n = 0;

        return cp->out ? copy_receive(&how, &n, err)
                       : copy_send(fd, cp->local, on_skipped, cp, err);
}

static CopySide carry(Cp *cp, int fd) {
        Error err = ERROR_EMPTY;
        int r = cp->is_tar ? carry_tar(cp, fd, &err) : carry_files(cp, fd, &err);

        if (r == -ECONNABORTED || r == -EPIPE)
                return SIDE_CUT_OFF; /* the other side knows why */
        if (cp->skipped > SHOWN_MAX)
                terminal_say("and %llu more are left out",
                             (unsigned long long) (cp->skipped - SHOWN_MAX));
        if (r < 0)
                terminal_say("%s", err.text);
        return r < 0 ? SIDE_FAILED : cp->skipped + cp->padded > 0 ? SIDE_SKIPPED : SIDE_DONE;
}

typedef struct Side { /* what the child needs */
        Cp *cp;
        int fd; /* its end of the pipe */
        int others
                [2]; /* the parent's: that end's other one, whose end must be seen, and the connection */
} Side;

/* Signals are the parent's to take: it ends the stream, and what is half there is removed */
static int run_side(void *arg, void *result, Error *err) {
        const Side *side = arg;
        CopySide *ret = result;
        sigset_t all;

        (void) err;
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, NULL);
        for (unsigned i = 0; i < ELEMENTS(side->others); i++)
                (void) close(side->others[i]);
        if (side->cp->is_tar) /* it may wait for others for ever, and leaves nothing to be removed */
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        *ret = carry(side->cp, side->fd);
        return 0;
}

/*
 * With the rights of who called, not of sudo's root: what a jail sends lands in files that are theirs, where they may
 * write. @ret_fd: the other end of its pipe, owned by the caller
 */
static int start_side(Cp *cp, const Link *link, int *ret_fd, Error *err) {
        int ends[2], ours = cp->out ? 1 : 0, r;
        Side side = { .cp = cp };
        const UserJob job = {
                .run = run_side, .arg = &side, .result = &cp->side, .result_size = sizeof(cp->side)
        };
        User user;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        side.fd = ends[!ours];
        side.others[0] = ends[ours];
        side.others[1] = rpc_peer_fd(link->peer);
        user_of_caller(&user);
        r = as_user_start(&user, &job, &cp->work, err);
        (void) close(ends[!ours]);
        if (r < 0)
                (void) close(ends[ours]);
        else
                *ret_fd = ends[ours];
        return r;
}

/*
 * Whoever writes the archive to us, or reads ours, may stand still for ever: the child that waits for them ends with
 * what it is for, and signals are heard until then. @is_over: nothing is left to carry. Returns: 0 or negative errno
 */
static int finish_side(Cp *cp, Link *link, bool is_over, Error *err) {
        bool killed = cp->is_tar && (is_over || link_await(link, cp->work.sock) != 0);
        int r;

        if (killed)
                (void) kill(cp->work.pid, SIGKILL);
        link_deinit(link); /* who was stopped ends the jail's side so */
        r = as_user_finish(&cp->work, killed || cp->signal || err->code < 0 ? NULL : err);
        if (r != -ECHILD || !killed)
                return r;
        cp->side = SIDE_CUT_OFF;
        return 0;
}

/* ---- the other side ------------------------------------------------------------------------------- */

/*
 * What goes into a jail ends first on this side, which leaves nothing behind: so the jail's side sees the end of the stream, and
 * removes what is half there. What comes out ends there first, for the same reason. A second signal does not wait.
 */
static void on_signal(Link *link, int signal, void *userdata) {
        Cp *cp = userdata;

        if (!cp->out && !cp->signal && cp->work.pid > 0)
                (void) kill(cp->work.pid, SIGKILL);
        else
                link_stop(link);
        cp->signal = signal;
}

static cJSON *make_params(const Cp *cp, Error *err) {
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", cp->jail);
        json_add_text(params, "direction", cp->out ? "out" : cp->is_tar ? "into" : "in");
        json_add_text(params, "path", cp->inside);
        if (!cp->out)
                json_add_text(params, "name", cp->name);
        if (cp->options->user && jail_options_user(cp->options->user, params, err) != 0)
                return json_free(params);
        return params;
}

/* Why the jail's side failed. Returns: whether it did */
static bool say_why(const cJSON *record) {
        const OutcomeFacts facts = { .name = "the copy", .is_in_jail = true };
        const char *words = json_text(json_get(json_get(record, "output"), "stderr"), "text");
        Buf sentence = BUF_EMPTY(SENTENCE_MAX);
        int code = outcome_exit_code(record);

        if (code == 0)
                return false;
        outcome_sentence(record, &facts, &sentence);
        if (words && *words)
                terminal_say("in the jail: %.*s", (int) strcspn(words, "\n"), words);
        else if (sentence.len > 0)
                terminal_say("%s", sentence.data);
        else
                terminal_say("the copy failed in the jail");
        buf_deinit(&sentence);
        return true;
}

/* What came out of a jail before its side failed is still carried; what goes into it is not */
static bool is_over(const Cp *cp, int asked, const Answer *answer) {
        return cp->signal || asked != 0 || (!cp->out && outcome_exit_code(answer->result) != 0);
}

/* Returns: 0 done, 1 not or not all of it (said already), or negative errno */
static int copy(Cp *cp, Link *link, cJSON *params_consume, Error *err) {
        Ask ask = { .method = "jail.copy", .params = params_consume, .n_fds = 1 };
        Answer answer = ANSWER_EMPTY;
        bool failed = false;
        int r, finished, fd = -EBADF;

        cp->side = SIDE_FAILED;
        r = start_side(cp, link, &fd, err);
        if (r < 0) {
                (void) json_free(ask.params);
                return r;
        }
        ask.fds[0] = fd;
        r = link_ask(link, &ask, &answer, err);
        (void) close(fd);
        finished = finish_side(cp, link, is_over(cp, r, &answer), err);
        if (cp->signal)
                r = LINK_E_STOPPED;
        if (r == 0 && finished < 0)
                r = finished;
        if (r == 0 && cp->side != SIDE_FAILED)
                failed = say_why(answer.result);
        answer_deinit(&answer);
        if (r == 0 && cp->side == SIDE_CUT_OFF && !failed)
                return error_say(err, -EIO, "the copy was cut off");
        return r == LINK_E_STOPPED   ? EXIT_SIGNAL + cp->signal
               : r == LINK_E_REFUSED ? -EREMOTEIO
               : r < 0               ? r
                                     : failed || cp->side != SIDE_DONE;
}

static int run(const VerbCall *call, Error *err) {
        Cp cp = { .options = call->options };
        SCOPED(json_free) cJSON *params = NULL;
        SCOPED(json_free) cJSON *done = NULL;
        Link link = LINK_EMPTY;
        int r = take_words(&cp, call, err);

        if (r != 0)
                return r;
        params = make_params(&cp, err);
        if (!params)
                return VERB_E_USAGE;
        r = link_open(&link, cp.options->common.socket, err);
        link.on_signal = on_signal;
        link.userdata = &cp;
        if (r == 0)
                r = link_catch_signals(&link, err);
        if (r == 0)
                r = copy(&cp, &link, TAKE_PTR(params), err);
        link_deinit(&link);
        done = cJSON_CreateObject();
        if (r == 0 && cp.options->common.json && done)
                events_result(done);
        return r;
}

const Verb verb_cp = {
        .name = "cp",
        .summary = "copy files and trees into a jail and out of it",
        .synopsis = "[OPTION…] JAIL:PATH DEST|- | SRC|- JAIL:PATH",
        .text = "What is copied gets its own name in a directory that is there, else the name that "
                "is\n"
                "said. A file that is there is replaced, a directory is not. Links are copied as "
                "links;\n"
                "modes and times are kept, but for what umask takes and for set-id bits; owners "
                "are not.\n"
                "A PATH that does not begin with a slash lies below /work, where the jail has one. "
                "Nothing\n"
                "of the jail's own programs is used, so it works in any image; and nothing appears "
                "at DEST\n"
                "before all of it is there. With - it is a tar archive on stdout, or one on stdin, "
                "whose\n"
                "entries go into the directory PATH.",
        .examples = "  warder cp j-7f3kq2m4ab:build/report.html .\n"
                    "  warder cp src j-7f3kq2m4ab:/home/user/src\n"
                    "  tar c . | warder cp - j-7f3kq2m4ab:/work",
        .exits = EXITS_PLAIN,
        .options = cp_options,
        .size = sizeof(CpOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
