/*
 * The verbs of snapshots: root file systems that jails start from.
 */
#include "cli/verb-snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "cli/as-user.h"
#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/stdio.h"
#include "cli/terminal.h"
#include "cli/workdir.h"

typedef struct ImportOptions {
        Common common;
        uint64_t max_bytes;
        uint64_t max_entries;
        const char *image;
} ImportOptions;

static const Option import_options[] = {
        { "max-bytes", 0, OPTION_SIZE, offsetof(ImportOptions, max_bytes), "SIZE",
          "Refuse an archive that unpacks to more" },
        { "max-entries", 0, OPTION_COUNT, offsetof(ImportOptions, max_entries), "N",
          "Refuse an archive of more files" },
        { "image", 0, OPTION_TEXT, offsetof(ImportOptions, image), "NAME",
          "Of several container images, the one that is called this" },
        OPTIONS_COMMON,
        { 0 },
};

static const Option snapshot_options[] = { OPTIONS_COMMON, { 0 } };

static void on_progress(Link *link, const char *method, const cJSON *params, void *userdata) {
        const ImportOptions *options = userdata;
        char size[UNITS_TEXT_MAX];
        uint64_t bytes = 0, entries = 0;

        (void) link;
        if (strcmp(method, "snapshot.progress") != 0)
                return;
        if (options->common.json) {
                events_print(method, cJSON_Duplicate(params, true));
        } else if (isatty(2)) {
                (void) json_number(params, "bytes", &bytes);
                (void) json_number(params, "entries", &entries);
                fprintf(stderr, "\r%s read, %llu files\033[K", units_format_size(bytes, size),
                        (unsigned long long) entries);
        }
}

static void show_cleaned(const cJSON *result) {
        uint64_t total = 0;
        const cJSON *item;

        (void) json_number(result, "cleaned_total", &total);
        if (total == 0)
                return;
        terminal_say("%llu times something did not land as it was in the archive:",
                     (unsigned long long) total);
        cJSON_ArrayForEach(item, json_get(result, "cleaned")) {
                fputs("  ", stderr);
                terminal_text(stderr, json_text(item, "path"), 200);
                fputs(": ", stderr);
                terminal_text(stderr, json_text(item, "text"), 200);
                fputs(" (", stderr);
                terminal_text(stderr, json_text(item, "rule"), 40);
                fputs(")\n", stderr);
        }
}

static void show_imported(const cJSON *result) {
        const cJSON *layer;
        uint64_t entries = 0;

        (void) json_number(result, "entries", &entries);
        show_text(result, "name", 0);
        show_size(result, "bytes", 0);
        printf("%llu files ", (unsigned long long) entries);
        cJSON_ArrayForEach(layer, json_get(result, "layers")) if (cJSON_IsString(layer))
                printf(" %.80s", layer->valuestring);
        putchar('\n');
        show_cleaned(result);
}

static cJSON *import_params(const ImportOptions *options, const char *name) {
        cJSON *params = cJSON_CreateObject(), *limits;

        json_add_text(params, "name", name);
        if (options->image)
                json_add_text(params, "image", options->image);
        if (!options->max_bytes && !options->max_entries)
                return params;
        limits = json_add_object(params, "limits");
        if (options->max_bytes)
                json_add_number(limits, "bytes", options->max_bytes);
        if (options->max_entries)
                json_add_number(limits, "entries", options->max_entries);
        return params;
}

static int import(const ImportOptions *options, const char *name, int fd, Error *err) {
        Ask ask = { .method = "snapshot.import", .n_fds = 1 };
        autoclose int source = -EBADF;
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, options->common.socket, err);

        if (r < 0)
                return r;
        link.on_note = on_progress;
        link.userdata = (void *) (uintptr_t) options;
        r = stdio_source(&link, fd, &source, err);
        if (r < 0) {
                link_deinit(&link);
                return r;
        }
        ask.fds[0] = source;
        ask.params = import_params(options, name);
        r = link_ask(&link, &ask, &answer, err);
        if (isatty(2) && !options->common.json)
                fputs("\r\033[K", stderr);
        if (r == 0 && options->common.json)
                events_result(answer.result);
        else if (r == 0)
                show_imported(answer.result);
        answer_deinit(&answer);
        link_deinit(&link);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

/* A container image may lie in a directory; of another one only its owner knows how it is to be packed. */
static int pack_directory(int dir, const VerbCall *call, int *ret_fd, Error *err) {
        struct stat st;

        if (fstatat(dir, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
                return workdir_pack(dir, ret_fd, err);
        (void) error_say(err, -EISDIR,
                         "%.200s is a directory: pack it first, tar -C DIR -c . | warder "
                         "snapshot import %.60s -",
                         call->words[1], call->words[0]);
        return VERB_E_USAGE;
}

static int run_import(const VerbCall *call, Error *err) {
        autoclose int fd = -EBADF, packed = -EBADF;
        struct stat st;
        User user;

        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL, "Give a name and an archive, or '-' for stdin.");
                return VERB_E_USAGE;
        }
        if (strcmp(call->words[1], "-") == 0) {
                fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
        } else {
                user_of_caller(&user);
                fd = as_user_open(&user, call->words[1], O_RDONLY, err);
                if (fd < 0)
                        return fd;
        }
        if (fd < 0)
                return error_set(err, -errno, "use stdin");
        if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
                int r = pack_directory(fd, call, &packed, err);

                if (r != 0)
                        return r;
        }
        return import(call->options, call->words[0], packed >= 0 ? packed : fd, err);
}

static void show_row(const cJSON *snapshot) {
        const cJSON *layers = json_get(snapshot, "layers");
        uint64_t entries = 0;

        (void) json_number(snapshot, "entries", &entries);
        show_text(snapshot, "name", 20);
        printf("%-6d  ", cJSON_GetArraySize(layers));
        show_size(snapshot, "bytes", 10);
        printf("%-8llu  ", (unsigned long long) entries);
        show_time(snapshot, "created", 24);
        putchar('\n');
}

static void show_list(const cJSON *result) {
        const cJSON *snapshot;

        printf("%-20s  %-6s  %-10s  %-8s  %s\n", "NAME", "LAYERS", "SIZE", "FILES", "CREATED");
        cJSON_ArrayForEach(snapshot, json_get(result, "snapshots")) show_row(snapshot);
}

static void show_words(const char *what, const cJSON *words) {
        const cJSON *word;

        if (cJSON_GetArraySize(words) == 0)
                return;
        printf("  %s", what);
        cJSON_ArrayForEach(word, words) {
                putchar(' ');
                terminal_text(stdout, cJSON_IsString(word) ? word->valuestring : "", 200);
        }
        putchar('\n');
}

/* What a stranger's image says: escaped, and cut */
static void show_image(const cJSON *image) {
        const cJSON *user = json_get(image, "user"), *item;
        const char *cwd = json_text(image, "cwd");
        uint64_t uid, gid;

        if (json_number(user, "uid", &uid) == 0 && json_number(user, "gid", &gid) == 0)
                printf("  user %llu:%llu\n", (unsigned long long) uid, (unsigned long long) gid);
        if (cwd) {
                fputs("  directory ", stdout);
                terminal_text(stdout, cwd, 200);
                putchar('\n');
        }
        show_words("entrypoint", json_get(image, "entrypoint"));
        show_words("cmd", json_get(image, "cmd"));
        cJSON_ArrayForEach(item, json_get(image, "env")) {
                fputs("  ", stdout);
                terminal_text(stdout, item->string, 100);
                putchar('=');
                terminal_text(stdout, cJSON_IsString(item) ? item->valuestring : "", 200);
                putchar('\n');
        }
}

static void show_one(const cJSON *result) {
        const cJSON *layer;

        show_row(result);
        cJSON_ArrayForEach(layer, json_get(result, "layers")) if (cJSON_IsString(layer))
                printf("  %.80s\n", layer->valuestring);
        show_image(json_get(result, "image"));
}

static int run_list(const VerbCall *call, Error *err) {
        return ask_once(call->options, "snapshot.list", cJSON_CreateObject(), show_list, err);
}

static int run_show(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.show", "name", "a snapshot", show_one, 0 };

        return ask_named(call, &named, err);
}

static int run_rm(const VerbCall *call, Error *err) {
        static const NamedAsk named = { "snapshot.remove", "name", "a snapshot", NULL, 0 };

        return ask_named(call, &named, err);
}

const Verb verb_snapshot_import = {
        .name = "snapshot import",
        .summary = "make a root file system from an archive or a container image",
        .synopsis = "[OPTION…] NAME FILE|DIR|-",
        .text = "Takes tar, plain or compressed by gzip, zstd, xz or bzip2: of a tree, of an OCI "
                "image\n"
                "layout (also a directory that is one), or of docker save. It is unpacked in a "
                "jail;\n"
                "devices, set-id bits and names that leave the tree never land: what was cleaned "
                "is\n"
                "listed with its rule, see warder-files(8).",
        .examples = "  warder snapshot import debian rootfs.tar.zst\n"
                    "  tar -C rootfs -c . | warder snapshot import mine -\n"
                    "  docker save python:3.12 | warder snapshot import python -",
        .exits = EXITS_PLAIN,
        .options = import_options,
        .size = sizeof(ImportOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_import,
};

const Verb verb_snapshot_list = {
        .name = "snapshot list",
        .summary = "list the snapshots",
        .synopsis = "[--json]",
        .examples =
                "  warder snapshot list\n  warder snapshot list --json | jq -r '.snapshots[].name'",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_list,
};

const Verb verb_snapshot_show = {
        .name = "snapshot show",
        .summary = "show a snapshot and its layers",
        .synopsis = "NAME",
        .examples = "  warder snapshot show debian\n  warder snapshot show debian --json",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_show,
};

const Verb verb_snapshot_rm = {
        .name = "snapshot rm",
        .summary = "remove a snapshot's name; unused layers go with it",
        .synopsis = "NAME",
        .examples = "  warder snapshot rm debian\n  warder snapshot rm mine",
        .exits = EXITS_PLAIN,
        .options = snapshot_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_rm,
};
