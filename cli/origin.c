/*
 * origin: see origin.h. git is asked in a child with the user's rights, never as sudo's root.
 */
#include "cli/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/sha256.h"
#include "cli/git.h"

#define CHUNK 65536

/* Each piece is hashed behind the hash of all before it, so memory is bounded whatever the files' sizes */
typedef struct Trail {
        unsigned char bytes[32 + CHUNK];
        bool begun;
} Trail;

static void add(Trail *trail, const void *bytes, size_t n) {
        if (bytes != trail->bytes + 32)
                memcpy(trail->bytes + 32, bytes, n);
        sha256_of(trail->bytes, 32 + n, trail->bytes);
        trail->begun = true;
}

static int add_content(Trail *trail, int top, const char *path, Error *err) {
        autoclose int fd = openat(top, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        ssize_t n = 0;

        if (fd < 0)
                return error_set(err, -errno, "open %.200s", path);
        while ((n = read(fd, trail->bytes + 32, CHUNK)) > 0)
                add(trail, trail->bytes + 32, (size_t) n);
        return n < 0 ? error_set(err, -errno, "read %.200s", path) : 0;
}

static int add_path(Trail *trail, int top, const char *path, Error *err) {
        char target[CHUNK], kind = '-';
        struct stat st;
        ssize_t n;

        add(trail, path, strnlen(path, CHUNK - 1) + 1);
        if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
                kind = S_ISREG(st.st_mode)   ? (st.st_mode & 0100 ? 'x' : 'f')
                       : S_ISLNK(st.st_mode) ? 'l'
                                             : 'o';
        add(trail, &kind, 1);
        if (kind == 'x' || kind == 'f')
                return add_content(trail, top, path, err);
        if (kind != 'l')
                return 0;
        n = readlinkat(top, path, target, sizeof(target));
        if (n < 0)
                return error_set(err, -errno, "read the link %.200s", path);
        add(trail, target, (size_t) n);
        return 0;
}

/* Paths that git prints, each with a zero byte behind it */
static int add_paths(const Git *git, const char *const *args, Trail *trail, Error *err) {
        autoclose int top = open(git->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        autofree char *names = NULL;
        size_t n = 0;
        int r = top < 0 ? error_set(err, -errno, "open %.200s", git->dir)
                        : git_read(git, args, &names, &n, err);

        for (const char *at = names; r == 0 && at < names + n; at += strlen(at) + 1)
                r = add_path(trail, top, at, err);
        return r;
}

static int read_in_child(void *arg, void *result, Error *err) {
        static const char *const head[] = { "rev-parse", "--verify", "-q", "HEAD^{commit}", NULL };
        static const char *const differs[] = { "diff", "--name-only",   "--no-renames", "-z",
                                               "HEAD", "--no-ext-diff", "--",           NULL };
        static const char *const known[] = { "ls-files", "-z", NULL };
        static const char *const others[] = { "ls-files", "-z", "--others", "--exclude-standard",
                                              NULL };
        /* "git diff" drops what was only touched by itself, unless a configuration forbids it */
        static const char *const config[] = { "-c", "diff.autoRefreshIndex=true", NULL };
        const Git git = { .dir = arg, .config = config };
        autofree char *text = NULL;
        Origin *origin = result;
        Trail trail = { 0 };
        size_t n = 0;
        int r;

        if (git_read(&git, head, &text, &n, NULL) == 0)
                (void) snprintf(origin->commit, sizeof(origin->commit), "%.*s",
                                (int) strcspn(text, "\n"), text);
        r = add_paths(&git, origin->commit[0] ? differs : known, &trail, err);
        origin->has_changes = trail.begun;
        if (r == 0)
                r = add_paths(&git, others, &trail, err);
        if (r == 0 && trail.begun)
                (void) sha256_text(trail.bytes, 32, origin->changes);
        else
                (void) snprintf(origin->changes, sizeof(origin->changes), "none");
        return r;
}

int origin_read(const User *user, const char *top, Origin *ret, Error *err) {
        Origin origin = { .commit = "" };
        UserJob job = { read_in_child, (void *) (uintptr_t) top, &origin, sizeof(origin) };
        int r = as_user_call(user, &job, err);

        if (r < 0)
                return r;
        origin.commit[sizeof(origin.commit) - 1] = origin.changes[sizeof(origin.changes) - 1] = 0;
        *ret = origin;
        return 0;
}

void origin_add(const Origin *origin, cJSON *json) {
        cJSON *object = json_add_object(json, "origin");

        if (origin->commit[0])
                json_add_text(object, "commit", origin->commit);
        json_add_text(object, "changes", origin->changes);
}

void origin_drift(const User *user, const char *top, const cJSON *verdict, char ret_why[256]) {
        const char *commit = json_text(verdict, "commit"), *changes = json_text(verdict, "changes");
        Origin now;
        Error ignored = ERROR_EMPTY;

        ret_why[0] = 0;
        if ((!commit && !changes) || origin_read(user, top, &now, &ignored) < 0)
                return;
        if (strcmp(now.commit, commit ? commit : "") != 0)
                (void) snprintf(
                        ret_why, 256,
                        "The verdict is about commit %.12s, this tree is at %.12s: the tests "
                        "have not run on what comes of it.",
                        commit ? commit : "none", now.commit[0] ? now.commit : "none");
        else if (changes && strcmp(now.changes, changes) != 0)
                (void) snprintf(ret_why, 256,
                                "This tree is not as it was when the task began: the tests have "
                                "not run on what comes of it.");
        else if (!changes && now.has_changes)
                (void) snprintf(
                        ret_why, 256,
                        "This tree has changes that are not committed, and that the verdict "
                        "knows nothing of.");
}
