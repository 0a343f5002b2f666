/*
 * pack: what "git ls-files" prints in a repository that a stranger made, packed by the command. Input: the list,
 * names with a 0 byte behind each. git is played; the tree is real, with links that lead out of it and a
 * repository in the repository. Nothing of what lies outside comes into the archive, and its names stay below.
 */
#include "cli/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/git.h"
#include "tests/fuzz/fuzz.h"

#define LIST_MAX 400 /* a nested repository prints it again for each time that it is named */
#define SECRET   "what lies outside of the repository"

static char base[80], top[96];
static const char *list;
static size_t list_n;

static void must(bool good) {
        if (!good)
                abort();
}

int git_read(const Git *git, const char *const *args, char **ret_text, size_t *ret_n, Error *err) {
        char *copy = malloc(list_n + 1);

        (void) err;
        must(strncmp(git->dir, top, strlen(top)) == 0 && strcmp(args[0], "ls-files") == 0);
        must(copy != NULL);
        memcpy(copy, list, list_n);
        copy[list_n] = 0;
        *ret_text = copy;
        *ret_n = list_n;
        return 0;
}

/* ---- the tree --------------------------------------------------------------------------------------- */

static const struct {
        const char *path, *text; /* text NULL: a directory; of a link: where it leads */
        mode_t type;
} things[] = {
        { "outside", NULL, S_IFDIR },
        { "outside/secret", SECRET, S_IFREG },
        { "top", NULL, S_IFDIR },
        { "top/a", "a", S_IFREG },
        { "top/b", NULL, S_IFDIR },
        { "top/b/c", "c", S_IFREG },
        { "top/l", "../outside/secret", S_IFLNK },
        { "top/d", "../outside", S_IFLNK },
        { "top/f", NULL, S_IFIFO },
        { "top/p", "version https://git-lfs.github.com/spec/v1\n", S_IFREG },
        { "top/s", NULL, S_IFDIR },
        { "top/s/.git", "gitdir: x", S_IFREG },
        { "top/s/a", "nested", S_IFREG },
        { "top/s/s", NULL, S_IFDIR },
        { "top/s/s/.git", NULL, S_IFDIR },
        { "top/s/s/l", "../../../outside/secret", S_IFLNK },
};

static void make_thing(unsigned i, const char *path) {
        autoclose int fd = -EBADF;

        if (things[i].type == S_IFDIR)
                must(mkdir(path, 0755) == 0);
        else if (things[i].type == S_IFIFO)
                must(mkfifo(path, 0644) == 0);
        else if (things[i].type == S_IFLNK)
                must(symlink(things[i].text, path) == 0);
        else {
                fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
                must(fd >= 0 && fd_write_all(fd, things[i].text, strlen(things[i].text)) == 0);
        }
}

static void remove_tree(void) {
        char path[160];

        for (unsigned i = ELEMENTS(things); i-- > 0;) {
                (void) snprintf(path, sizeof(path), "%s/%s", base, things[i].path);
                (void) remove(path);
        }
        (void) rmdir(base);
}

static void make_tree(void) {
        const char *tmp = getenv("TMPDIR");
        char path[160];

        (void) snprintf(base, sizeof(base), "%.50s/warder-fuzz-XXXXXX", tmp ? tmp : "/tmp");
        must(mkdtemp(base) != NULL && atexit(remove_tree) == 0);
        for (unsigned i = 0; i < ELEMENTS(things); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", base, things[i].path);
                make_thing(i, path);
        }
        (void) snprintf(top, sizeof(top), "%s/top", base);
}

/* ---- the archive ------------------------------------------------------------------------------------ */

/* "b/../a" may come through, and is refused where archives are read; "b/../../a" may not. */
static bool stays_below(const char *name) {
        int depth = 0;

        for (const char *at = name; *at && depth >= 0; at += at[0] == '/') {
                size_t n = strcspn(at, "/");

                depth += n == 2 && strncmp(at, "..", n) == 0 ? -1 : n > 0;
                at += n;
        }
        return name[0] != '/' && depth >= 0;
}

static void check_archive(int fd) {
        struct archive *archive = archive_read_new();
        struct archive_entry *entry;
        autofree char *text = NULL;
        size_t n = 0;

        must(lseek(fd, 0, SEEK_SET) == 0 && fd_read_all(fd, 64u << 20, &text, &n) == 0);
        must(!memmem(text, n, SECRET, strlen(SECRET)));
        must(archive && archive_read_support_format_tar(archive) == ARCHIVE_OK);
        must(archive_read_open_memory(archive, text, n) == ARCHIVE_OK);
        while (archive_read_next_header(archive, &entry) == ARCHIVE_OK)
                must(stays_below(archive_entry_pathname(entry)));
        (void) archive_read_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autoclose int fd = memfd_create("tar", MFD_CLOEXEC);
        SCOPED(pack_free) Pack *pack = NULL;
        Error err = ERROR_EMPTY;
        PackTotals totals;

        if (!base[0])
                make_tree();
        list = (const char *) data;
        list_n = n < LIST_MAX ? n : LIST_MAX;
        must(fd >= 0 && pack_new(fd, &pack, &err) == 0);
        if (tree_pack(pack, top, &err) < 0)
                must(err.text[0]);
        if (pack_end(pack, &totals, &err) == 0)
                check_archive(fd);
        return 0;
}
