/*
 * install: see install.h. The order: everything new is written into the landing; every path is compared with
 * what was packed; what goes away is taken; what is made or changed is put in place. Until the last rename
 * each step can be taken back, and is, when one fails. Signals wait meanwhile.
 *
 * LIMIT: kill -9 or a loss of power in the middle leaves some files new and some old, and the rest of both in
 * the directory .warder-apply-*: no file system offers more than one rename at once.
 */
#include "cli/install.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/guard.h"
#include "cli/landing.h"
#include "cli/pack.h"
#include "cli/terminal.h"
#include "cli/workdir.h"

#define CHUNK 65536

int tree_open(Tree *tree, const User *user, const char *top, const Changes *names, Error *err) {
        size_t bytes = (names->n ? names->n : 1) * sizeof(Seen);
        void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (room == MAP_FAILED)
                return error_set(err, -errno, "remember what the patch touches");
        *tree = (Tree){ .user = *user, .top = top, .names = names, .seen = room };
        return 0;
}

void tree_deinit(Tree *tree) {
        if (tree->seen)
                (void) munmap(tree->seen, (tree->names->n ? tree->names->n : 1) * sizeof(Seen));
        tree->seen = NULL;
}

typedef struct TreeJob {
        Tree *tree;
        const TreePatch *patch;
        const Changes *results;
        int out;
} TreeJob;

static int open_top(const Tree *tree, Error *err) {
        int fd = open(tree->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? error_set(err, -errno, "open %s", tree->top) : fd;
}

/* ---- packing ------------------------------------------------------------------------------------- */

/* Returns: 0 and is it there, or negative errno where the path leads through a link. */
static int look(int top, const char *path, Seen *ret, Error *err) {
        int r = landing_stat(top, path, &ret->st);

        ret->there = r == 0;
        if (r == -ELOOP || r == -EXDEV)
                return error_say(err, -ELOOP,
                                 "%.300s: a directory on its way is a link, and a patch is not "
                                 "applied through links.",
                                 path);
        if (r == 0 || r == -ENOENT || r == -ENOTDIR)
                return 0;
        return error_set(err, r, "look at %s", path);
}

static int pack_one(Pack *pack, int top, const char *path, Seen *seen, Error *err) {
        char name[GUARD_PATH_MAX + 8];
        int r = look(top, path, seen, err);

        if (r < 0 || !seen->there)
                return r;
        if (!S_ISREG(seen->st.st_mode) && !S_ISLNK(seen->st.st_mode) && !S_ISDIR(seen->st.st_mode))
                return error_say(err, -EINVAL, "%.300s: it is no file, link or directory here.",
                                 path);
        (void) snprintf(name, sizeof(name), "base/%s", path);
        return pack_path(pack, top, path, name, err);
}

static int pack_in_child(void *arg, void *result, Error *err) {
        const TreeJob *job = arg;
        const PackBytes patch = { .name = "patch",
                                  .mode = S_IFREG | 0644,
                                  .bytes = job->patch->bytes,
                                  .n = job->patch->n },
                        base = { .name = "base", .mode = S_IFDIR | 0755 };
        SCOPED(pack_free) Pack *pack = NULL;
        autoclose int top = open_top(job->tree, err);
        PackTotals totals = { 0 };
        int r = top < 0 ? top : pack_new(job->out, &pack, err);

        (void) result;
        if (r == 0)
                r = pack_bytes(pack, &patch, err);
        if (r == 0)
                r = pack_bytes(pack, &base, err);
        for (unsigned i = 0; r == 0 && i < job->tree->names->n; i++)
                r = pack_one(pack, top, job->tree->names->items[i].path, &job->tree->seen[i], err);
        return r < 0 ? r : pack_end(pack, &totals, err);
}

int tree_pack_names(Tree *tree, const TreePatch *patch, int *ret_fd, Error *err) {
        autoclose int fd = spool_new(err);
        TreeJob arg = { .tree = tree, .patch = patch, .out = fd };
        UserJob job = { .run = pack_in_child, .arg = &arg };
        int r;

        if (fd < 0)
                return fd;
        r = as_user_call(&tree->user, &job, err);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind a temporary file");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* ---- installing ---------------------------------------------------------------------------------- */

typedef struct Install {
        const Tree *tree;
        const Changes *results;
        unsigned *numbers; /* owned: of each result in the landing */
        const Seen **seen; /* owned: of each result, borrowed from the tree */
        int top;           /* owned */
        Landing landing;
} Install;

static const Seen *find_seen(const Tree *tree, const char *path) {
        const Change *name = changes_find(tree->names, path);

        return name ? &tree->seen[name - tree->names->items] : NULL;
}

/* As git gives modes: by the umask; but a file that only its owner may read stays so. */
static mode_t mode_of(uint32_t mode, const Seen *seen) {
        mode_t old = seen->there && S_ISREG(seen->st.st_mode) ? seen->st.st_mode & 0777 : 0;
        bool executes = mode == 0100755;

        if (old == 0 || executes == ((old & 0100) != 0))
                return old;
        return executes ? old | (old & 0444) >> 2 : old & ~(mode_t) 0111;
}

static int copy_bytes(const Install *self, const Change *change, int to, Error *err) {
        char chunk[CHUNK];
        uint64_t done = 0;
        int r = 0;

        while (r == 0 && done < change->n) {
                size_t want = change->n - done < CHUNK ? (size_t) (change->n - done) : CHUNK;
                ssize_t n = pread(self->results->fd, chunk, want, (off_t) (change->at + done));

                if (n < 0 && errno == EINTR)
                        continue;
                r = n <= 0 ? -EIO : fd_write_all(to, chunk, (size_t) n);
                done += n > 0 ? (uint64_t) n : 0;
        }
        return r < 0 ? error_set(err, r, "write %s", change->path) : 0;
}

static int prepare_file(Install *self, unsigned i, Error *err) {
        const Change *change = &self->results->items[i];
        mode_t mode = mode_of(change->mode, self->seen[i]);
        autoclose int fd = landing_file(&self->landing, change->mode == 0100755 ? 0777 : 0666,
                                        &self->numbers[i], err);

        if (fd < 0)
                return fd;
        if (mode != 0 && fchmod(fd, mode) < 0)
                return error_set(err, -errno, "set the mode of %s", change->path);
        return copy_bytes(self, change, fd, err);
}

static int prepare_link(Install *self, unsigned i, Error *err) {
        const Change *change = &self->results->items[i];
        char target[GUARD_PATH_MAX] = "";

        if (change->n >= sizeof(target) ||
            pread(self->results->fd, target, change->n, (off_t) change->at) != (ssize_t) change->n)
                return error_say(err, -EIO, "The target of the link %.300s cannot be read.",
                                 change->path);
        return landing_link(&self->landing, target, &self->numbers[i], err);
}

static int prepare(Install *self, Error *err) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < self->results->n; i++) {
                const Change *change = &self->results->items[i];

                self->seen[i] = find_seen(self->tree, change->path);
                if (!self->seen[i])
                        return error_say(err, -EPROTO, "%.300s: it is no path of the patch.",
                                         change->path);
                if (change->kind == CHANGE_DELETED)
                        continue;
                r = change->mode == 0120000 ? prepare_link(self, i, err)
                                            : prepare_file(self, i, err);
        }
        return r;
}

static int compare(const Install *self, Error *err) {
        for (unsigned i = 0; i < self->tree->names->n; i++) {
                const Seen *before = &self->tree->seen[i];
                const char *path = self->tree->names->items[i].path;
                Seen now = { 0 };
                int r = look(self->top, path, &now, err);

                if (r < 0)
                        return r;
                if (now.there == before->there &&
                    (!now.there || S_ISDIR(now.st.st_mode) || landing_same(&now.st, &before->st)))
                        continue;
                return error_say(err, -ESTALE,
                                 "%.300s was changed after the patch had been looked at, by "
                                 "someone else. Try again.",
                                 path);
        }
        return 0;
}

static int take_all(Install *self, Error *err) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < self->results->n; i++)
                if (self->results->items[i].kind == CHANGE_DELETED)
                        r = landing_take(&self->landing, self->results->items[i].path,
                                         &self->seen[i]->st, err);
        return r;
}

/* A file comes where a directory was, of which the patch takes all files away. */
static void clear_place(Install *self, const char *path) {
        size_t n = strlen(path);

        for (unsigned i = 0; i < self->results->n; i++) {
                const Change *other = &self->results->items[i];

                if (other->kind == CHANGE_DELETED && strncmp(other->path, path, n) == 0 &&
                    other->path[n] == '/')
                        landing_take_dirs(&self->landing, other->path, path);
        }
}

static int put_one(Install *self, unsigned i, Error *err) {
        const Change *change = &self->results->items[i];
        const Seen *seen = self->seen[i];

        if (change->kind == CHANGE_DELETED)
                return 0;
        if (seen->there && !S_ISDIR(seen->st.st_mode))
                return landing_exchange(&self->landing, self->numbers[i], change->path, &seen->st,
                                        err);
        if (seen->there)
                clear_place(self, change->path);
        return landing_place(&self->landing, self->numbers[i], change->path, err);
}

static int put_all(Install *self, Error *err) {
        int r = take_all(self, err);

        for (unsigned i = 0; r == 0 && i < self->results->n; i++)
                r = put_one(self, i, err);
        for (unsigned i = 0; r == 0 && i < self->results->n; i++)
                if (self->results->items[i].kind == CHANGE_DELETED)
                        landing_take_dirs(&self->landing, self->results->items[i].path, NULL);
        return r;
}

static void hold_signals(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGQUIT);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
}

static int put_back(Install *self, int r, Error *err) {
        Error first = *err, why = ERROR_EMPTY;
        int back = landing_back(&self->landing, &why);

        if (back == 0) {
                landing_close(&self->landing, false);
                return error_say(err, r, "%.300s Nothing was changed.", first.text);
        }
        (void) error_say(err, r,
                         "%.200s It could not all be put back (%.120s): the old files lie in %s.",
                         first.text, why.text, self->landing.name);
        landing_close(&self->landing, true);
        return r;
}

/* Some of what lies there may be the only copy of a file as it was: it is the user's to take away. */
static void say_if_cut_off(int top) {
        char name[LANDING_NAME_MAX];

        if (landing_old(top, name))
                terminal_say(
                        "An earlier apply was killed in the middle: %s holds files that it had "
                        "not put in place yet, or had taken out of theirs. Compare the tree "
                        "with its commit, then remove that directory.",
                        name);
}

static int install_in_child(void *arg, void *result, Error *err) {
        const TreeJob *job = arg;
        autofree unsigned *numbers = calloc(job->results->n + 1u, sizeof(*numbers));
        autofree const Seen **seen = calloc(job->results->n + 1u, sizeof(const Seen *));
        autoclose int top = open_top(job->tree, err);
        Install self = { .tree = job->tree,
                         .results = job->results,
                         .numbers = numbers,
                         .seen = seen,
                         .top = top };
        int r = top;

        (void) result;
        if (!numbers || !seen)
                r = error_set(err, -ENOMEM, "apply the patch");
        if (r < 0)
                return r;
        say_if_cut_off(top);
        hold_signals();
        r = landing_open(&self.landing, top, err);
        if (r == 0)
                r = prepare(&self, err);
        if (r == 0)
                r = compare(&self, err);
        if (r == 0)
                r = put_all(&self, err);
        if (r < 0)
                return put_back(&self, r, err);
        landing_close(&self.landing, false);
        return 0;
}

int tree_install(Tree *tree, const Changes *results, Error *err) {
        TreeJob arg = { .tree = tree, .results = results };
        UserJob job = { .run = install_in_child, .arg = &arg };

        return as_user_call(&tree->user, &job, err);
}
