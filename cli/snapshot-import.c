/*
 * snapshot-import: see snapshot-import.h.
 *
 * A child that packs and the supervisor that unpacks run side by side. Where the child fails, the archive ends early and is
 * refused for that: what the child says is the reason then. Where the import is refused, the child hears it by its pipe.
 */
#include "cli/snapshot-import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/cleaned.h"
#include "cli/events.h"
#include "cli/snapshot-progress.h"
#include "cli/stdio.h"
#include "cli/terminal.h"

#define LAYER_SHOWN 80

static const char *line_of(const cJSON *params, void *userdata, char *text) {
        uint64_t bytes = 0, entries = 0;

        (void) json_number(params, "bytes", &bytes);
        (void) json_number(params, "entries", &entries);
        return import_progress_line(userdata, bytes, entries, units_monotonic(), text);
}

static void show_imported(const cJSON *result) {
        char files[UNITS_TEXT_MAX];
        const cJSON *layer;
        uint64_t entries = 0;

        (void) json_number(result, "entries", &entries);
        show_text(result, "name", 0);
        show_size(result, "bytes", 0);
        printf("%s ", units_format_count(entries, "file", files));
        cJSON_ArrayForEach(layer, json_get(result, "layers")) {
                if (!cJSON_IsString(layer))
                        continue;
                putchar(' ');
                terminal_text(stdout, layer->valuestring, LAYER_SHOWN);
        }
        putchar('\n');
        cleaned_show(result, "in the archive");
        if (json_true(result, "joined"))
                fputs("Another import of the same file was under way: it was unpacked once.\n",
                      stderr);
}

static cJSON *import_params(const ImportOptions *options, const char *name) {
        cJSON *params = cJSON_CreateObject(), *limits;

        json_add_text(params, "name", name);
        if (options->image)
                json_add_text(params, "image", options->image);
        if (options->is_public || options->is_private)
                json_add_bool(params, "public", options->is_public);
        if (!options->max_bytes && !options->max_entries)
                return params;
        limits = json_add_object(params, "limits");
        if (options->max_bytes)
                json_add_number(limits, "bytes", options->max_bytes);
        if (options->max_entries)
                json_add_number(limits, "entries", options->max_entries);
        return params;
}

/* What is left of a file from where it stands; 0: not known */
static uint64_t size_of(int fd) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        struct stat st;

        return at >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > at
                       ? (uint64_t) (st.st_size - at)
                       : 0;
}

static int ask(Link *link, const ImportOptions *options, const char *name, int *fd, Error *err) {
        Ask ask = { .method = "snapshot.import", .n_fds = 1 };
        autoclose int source = -EBADF;
        Answer answer = ANSWER_EMPTY;
        int r = stdio_source(link, *fd, &source, err);

        if (r < 0)
                return r;
        if (link->n_relays == 0)
                (void) close(TAKE_FD(*fd));
        ask.fds[0] = source;
        ask.params = import_params(options, name);
        r = link_ask(link, &ask, &answer, err);
        snapshot_progress_end(link->userdata);
        if (r == 0 && options->common.json)
                events_result(answer.result);
        else if (r == 0)
                show_imported(answer.result);
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int import(const ImportOptions *options, const char *name, int *fd, Error *err) {
        ImportProgress told = { .total = size_of(*fd), .began_usec = units_monotonic() };
        SnapshotProgress progress = snapshot_progress_begin(options->common.json, line_of, &told);
        Link link = LINK_EMPTY;
        int r = link_open(&link, options->common.socket, err);

        if (r < 0)
                return r;
        link.on_note = snapshot_progress_note;
        link.userdata = &progress;
        r = ask(&link, options, name, fd, err);
        link_deinit(&link);
        return r;
}

int snapshot_import(const ImportOptions *options, const char *name, int fd, UserWork *work,
                    Error *err) {
        autoclose int source = fd;
        Error why = ERROR_EMPTY;
        int r = import(options, name, &source, err), packed;

        if (source >= 0)
                (void) close(TAKE_FD(source));
        packed = work ? as_user_finish(work, &why) : 0;
        if (packed < 0 && packed != -EPIPE) {
                *err = why;
                return packed;
        }
        return r;
}
