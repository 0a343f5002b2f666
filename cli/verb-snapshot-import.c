/*
 * The verb that makes snapshots: of archives, container images, directories, and of this host's own packages.
 */
#include "cli/verb-snapshot-import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/as-user.h"
#include "cli/host-pack.h"
#include "cli/snapshot-import.h"
#include "cli/terminal.h"
#include "cli/tree-pack.h"
#include "cli/workdir.h"

static const Option import_options[] = {
        { "max-bytes", 0, OPTION_SIZE, offsetof(ImportOptions, max_bytes), "SIZE",
          "Refuse an archive that unpacks to more" },
        { "max-entries", 0, OPTION_COUNT, offsetof(ImportOptions, max_entries), "N",
          "Refuse an archive of more files" },
        { "image", 0, OPTION_TEXT, offsetof(ImportOptions, image), "NAME",
          "Of several container images, the one that is called this" },
        { "from-host", 0, OPTION_FLAG, offsetof(ImportOptions, from_host), NULL,
          "Copy installed Debian packages, with what they need, and paths of this host" },
        { "public", 0, OPTION_FLAG, offsetof(ImportOptions, is_public), NULL,
          "Other users may use it (what root imports, they may anyway)" },
        { "private", 0, OPTION_FLAG, offsetof(ImportOptions, is_private), NULL,
          "Nobody else may use it" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Packing { /* in the child */
        int root;        /* -EBADF: files of the host */
        HostPack host;
        int out, in; /* of the pipe; @in is the parent's */
} Packing;

static int pack_tree(const Packing *packing, TreePackTotals *ret, Error *err) {
        SCOPED(tree_pack_free) TreePack *pack = NULL;
        int r = tree_pack_new(packing->out, packing->root, false, &pack, err);

        if (r >= 0)
                r = tree_pack_add(pack, ".", true, err);
        return r < 0 ? r : tree_pack_end(pack, ret, err);
}

/* The reading end is closed here: else nobody would ever hear that the other reader has gone */
static int pack_in_child(void *arg, void *result, Error *err) {
        Packing *packing = arg;

        (void) close(packing->in);
        return packing->root >= 0 ? pack_tree(packing, result, err)
                                  : host_pack_run(&packing->host, result, err);
}

static int import_packed(const VerbCall *call, Packing *packing, Error *err) {
        TreePackTotals totals = { 0 };
        UserJob job = { pack_in_child, packing, &totals, sizeof(totals) };
        UserWork work;
        char files[UNITS_TEXT_MAX];
        User user;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        packing->in = ends[0];
        packing->out = packing->host.out = ends[1];
        user_of_caller(&user);
        r = as_user_start(&user, &job, &work, err);
        (void) close(ends[1]);
        if (r < 0) {
                (void) close(ends[0]);
                return r;
        }
        r = snapshot_import(call->options, call->words[0], ends[0], &work, err);
        if (r == 0 && totals.skipped > 0)
                terminal_say(
                        "left out: %llu sockets, devices, or directories of other file systems",
                        (unsigned long long) totals.skipped);
        if (r == 0 && packing->root < 0 && totals.left_out > 0)
                terminal_say("left out, since not everybody may read it: %s",
                             units_format_count(totals.left_out, "file", files));
        return r;
}

static int import_host(const VerbCall *call, Error *err) {
        Packing packing = { .root = -EBADF,
                            .host = { .words = call->words + 1, .n = call->n_words - 1 } };

        if (call->n_words < 2) {
                (void) error_say(err, -EINVAL,
                                 "Give a name, and packages or paths of this host to copy.");
                return VERB_E_USAGE;
        }
        return import_packed(call, &packing, err);
}

/* One that is an image layout is brought as an archive of it; of any other the tree is the snapshot. */
static int import_directory(const VerbCall *call, int dir, Error *err) {
        Packing packing = { .root = dir };
        struct stat st;
        int packed = -EBADF, r;

        if (fstatat(dir, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
                return import_packed(call, &packing, err);
        r = workdir_pack(dir, &packed, err);
        return r < 0 ? r : snapshot_import(call->options, call->words[0], packed, NULL, err);
}

static int open_source(const char *word, Error *err) {
        User user;
        int fd;

        if (strcmp(word, "-") == 0) {
                fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
                return fd < 0 ? error_set(err, -errno, "use stdin") : fd;
        }
        user_of_caller(&user);
        return as_user_open(&user, word, O_RDONLY, err);
}

static int run_import(const VerbCall *call, Error *err) {
        const ImportOptions *options = call->options;
        autoclose int fd = -EBADF;
        struct stat st;

        if (options->is_public && options->is_private) {
                (void) error_say(err, -EINVAL, "--public and --private exclude each other.");
                return VERB_E_USAGE;
        }
        if (options->from_host)
                return import_host(call, err);
        if (call->n_words != 2) {
                (void) error_say(err, -EINVAL,
                                 "Give a name and an archive or a directory, or '-' for stdin.");
                return VERB_E_USAGE;
        }
        fd = open_source(call->words[1], err);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
                return import_directory(call, fd, err);
        return snapshot_import(options, call->words[0], TAKE_FD(fd), NULL, err);
}

const Verb verb_snapshot_import = {
        .name = "snapshot import",
        .summary = "make a root file system from an archive, an image, a directory, or this host",
        .synopsis = "[OPTION…] NAME FILE|DIR|-\n"
                    "       warder snapshot import --from-host NAME PACKAGE|PATH…",
        .text = "Takes tar, plain or compressed by gzip, zstd, xz or bzip2: of a tree, of an OCI "
                "image\n"
                "layout (also a directory that is one), or of docker save; and any other "
                "directory. It is\n"
                "unpacked in a jail; devices, set-id bits and names that leave the tree never "
                "land: what\n"
                "was cleaned is listed with its rule, see warder-files(8).",
        .examples = "  warder snapshot import debian rootfs.tar.zst\n"
                    "  tar -C rootfs -c . | warder snapshot import mine -\n"
                    "  docker save python:3.12 | warder snapshot import python -\n"
                    "  warder snapshot import --from-host tools gcc make libc6-dev",
        .exits = EXITS_PLAIN,
        .options = import_options,
        .size = sizeof(ImportOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run_import,
};
