/*
 * The verb "snapshot export": a snapshot as an archive.
 */
#include "cli/verb-export.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/snapshot-progress.h"
#include "cli/stdio.h"
#include "cli/terminal.h"
#include "cli/whole-file.h"
#include "cli/workdir.h"

#define CHUNK (256u << 10)

typedef struct ExportOptions {
        Common common;
        const char *format;
} ExportOptions;

static const Option export_options[] = {
        { "format", 0, OPTION_TEXT, offsetof(ExportOptions, format), "tar|oci",
          "A tar archive of the tree (the default), or a container image: an OCI image layout" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Export {
        const ExportOptions *options;
        const char *name;
        SnapshotProgress progress;
        int signal; /* that told us to end */
} Export;

static const char *line_of(const cJSON *params, void *userdata, char *text) {
        char size[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX];
        uint64_t bytes = 0, entries = 0;

        (void) userdata;
        (void) json_number(params, "bytes", &bytes);
        (void) json_number(params, "entries", &entries);
        (void) snprintf(text, SNAPSHOT_LINE_MAX, "%s written, %s", units_format_size(bytes, size),
                        units_format_count(entries, "file", files));
        return text;
}

static void on_progress(Link *link, const char *method, const cJSON *params, void *userdata) {
        Export *export = userdata;

        snapshot_progress_note(link, method, params, &export->progress);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Export *export = userdata;

        export->signal = signal;
        link_stop(link);
}

/* No more than goes without waiting: a socket is asked for that, a pipe with room takes PIPE_BUF bytes, files do not wait */
static ssize_t write_some(int to, const char *bytes, size_t n) {
        ssize_t written = send(to, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        return written < 0 && errno == ENOTSOCK ? write(to, bytes, n < PIPE_BUF ? n : PIPE_BUF)
                                                : written;
}

static int write_chunk(Link *link, const Export *export, int to, const char *bytes, size_t n) {
        while (n > 0) {
                struct pollfd polls[] = { { .fd = to, .events = POLLOUT },
                                          { .fd = link->signals, .events = POLLIN } };
                ssize_t written;

                if (poll(polls, ELEMENTS(polls), -1) < 0 && errno != EINTR)
                        return -errno;
                if (polls[1].revents)
                        link_pause(link, 0);
                if (export->signal)
                        return LINK_E_STOPPED;
                written = write_some(to, bytes, n);
                if (written < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
                bytes += written > 0 ? written : 0;
                n -= written > 0 ? (size_t) written : 0;
        }
        return 0;
}

/* Bytes of one file behind those of another, which may be anything. Returns: 0, LINK_E_STOPPED or negative errno */
static int copy(Link *link, const Export *export, int from, int to, Error *err) {
        autofree char *chunk = malloc(CHUNK);
        ssize_t n = 1;
        int r = !chunk ? -ENOMEM : lseek(from, 0, SEEK_SET) < 0 ? -errno : 0;

        while (r == 0 && n > 0) {
                n = read(from, chunk, CHUNK);
                r = n < 0 ? -errno : write_chunk(link, export, to, chunk, (size_t) n);
        }
        return r < 0 ? error_set(err, r, "write the archive") : r;
}

static int ask_export(Link *link, const Export *export, int fd, Answer *answer, Error *err) {
        Ask ask = { .method = "snapshot.export", .params = cJSON_CreateObject(), .n_fds = 1 };
        int r;

        json_add_text(ask.params, "name", export->name);
        if (export->options->format)
                json_add_text(ask.params, "format", export->options->format);
        ask.fds[0] = fd;
        r = link_ask(link, &ask, answer, err);
        snapshot_progress_end(&export->progress);
        return r;
}

/* Into @to itself where the supervisor may have it, else through a file without a name */
static int export_to(Export *export, int to, Error *err) {
        bool direct = stdio_may_pass(to);
        autoclose int spool = direct ? -EBADF : spool_new(err);
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = direct || spool >= 0 ? link_open(&link, export->options->common.socket, err)
                                     : error_set(err, spool, "make a temporary file");

        link.on_note = on_progress;
        link.on_signal = on_signal;
        link.userdata = export;
        if (r == 0)
                r = link_catch_signals(&link, err);
        if (r == 0)
                r = ask_export(&link, export, direct ? to : spool, &answer, err);
        if (r == 0 && !direct)
                r = copy(&link, export, spool, to, err);
        if (r == 0 && export->options->common.json && to != STDOUT_FILENO)
                events_result(answer.result);
        answer_deinit(&answer);
        link_deinit(&link);
        return r == LINK_E_REFUSED   ? -EREMOTEIO
               : r == LINK_E_STOPPED ? EXIT_SIGNAL + export->signal
                                     : r;
}

static int export_to_file(Export *export, const char *path, Error *err) {
        WholeFile file = WHOLE_FILE_EMPTY;
        int r = whole_file_open(&file, path, err);

        if (r == 0)
                r = export_to(export, file.fd, err);
        if (r == 0)
                r = whole_file_keep(&file, err);
        whole_file_deinit(&file);
        return r;
}

static int usage(Error *err, const char *text) {
        (void) error_say(err, -EINVAL, "%s", text);
        return VERB_E_USAGE;
}

static int run(const VerbCall *call, Error *err) {
        const ExportOptions *options = call->options;
        const char *path = call->n_words == 2 ? call->words[1] : "-";
        bool to_file = strcmp(path, "-") != 0; /* else stdout is the archive's alone */
        Export export = { .options = options };

        if (call->n_words < 1 || call->n_words > 2)
                return usage(err, "Give a snapshot, and a file or '-' for stdout.");
        if (options->format && strcmp(options->format, "tar") != 0 &&
            strcmp(options->format, "oci") != 0)
                return usage(err, "--format: 'tar' and 'oci' are the forms that there are.");
        export.name = call->words[0];
        export.progress = snapshot_progress_begin(options->common.json && to_file, line_of, NULL);
        export.progress.draws &= !options->common.json;
        if (to_file)
                return export_to_file(&export, path, err);
        if (isatty(STDOUT_FILENO))
                return usage(
                        err,
                        "stdout is a terminal, and an archive is not to be read: name a file.");
        return export_to(&export, STDOUT_FILENO, err);
}

const Verb verb_snapshot_export = {
        .name = "snapshot export",
        .summary = "write a snapshot as a tar archive or a container image",
        .synopsis = "[OPTION…] NAME [FILE|-]",
        .text = "The same snapshot always gives the same archive, and what is imported from it the "
                "same\n"
                "layers. A file appears whole or not at all; without one, or with '-', it is "
                "stdout.",
        .examples = "  warder snapshot export debian-ready rootfs.tar\n"
                    "  warder snapshot export --format oci debian-ready image.tar\n"
                    "  warder snapshot export debian-ready | zstd > rootfs.tar.zst",
        .exits = EXITS_PLAIN,
        .options = export_options,
        .size = sizeof(ExportOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
