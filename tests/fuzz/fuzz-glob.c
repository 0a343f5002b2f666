/*
 * glob: a pattern of a spec or a rule of a .gitignore, and paths. Input: the patterns, an empty line, the paths.
 */
#include "sandbox/files/glob.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/files/ignore.h"
#include "tests/fuzz/fuzz.h"

static int top = -1;
static char top_path[256];

static void must(bool good) {
        if (!good)
                abort();
}

static void leave(void) {
        (void) unlinkat(top, ".gitignore", 0);
        (void) rmdir(top_path);
}

static void enter(void) {
        const char *temporary = getenv("TMPDIR");

        if (top >= 0)
                return;
        (void) snprintf(top_path, sizeof(top_path), "%s/warder-fuzz-glob.XXXXXX",
                        temporary ? temporary : "/tmp");
        must(mkdtemp(top_path) != NULL);
        top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(top >= 0);
        (void) atexit(leave);
}

static void ignore(const char *rules, size_t n, char **paths, unsigned n_paths) {
        int fd = openat(top, ".gitignore", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        IgnoreFile file = { 0 };
        unsigned i;

        must(fd >= 0 && write(fd, rules, n) == (ssize_t) n);
        (void) close(fd);
        if (ignore_load(&file, top, "", NULL) == 0)
                for (i = 0; i < n_paths; i++)
                        (void) ignore_matches(&file, paths[i], i & 1);
        ignore_unload(&file);
}

static void match(char *patterns, char **paths, unsigned n_paths) {
        Globs globs = GLOBS_EMPTY;
        Error err = ERROR_EMPTY;
        char *rest = NULL, *line;
        unsigned i;

        for (line = strtok_r(patterns, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                must(globs_add(&globs, line, &err) == 0 || err.text[0]);
        for (i = 0; i < n_paths; i++) {
                bool one = false;

                for (unsigned j = 0; j < globs.n; j++)
                        one |= glob_match(globs.patterns[j], paths[i]);
                must(one == globs_match(&globs, paths[i]));
        }
        globs_deinit(&globs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        char *paths[8], *rest = NULL, *line;
        autofree char *text = strndup((const char *) data, n);
        autofree char *below = NULL;
        const char *gap;
        unsigned n_paths = 0;

        enter();
        must(text != NULL);
        gap = strstr(text, "\n\n");
        below = strdup(gap ? gap + 2 : "");
        must(below != NULL);
        for (line = strtok_r(below, "\n", &rest); line && n_paths < 8;
             line = strtok_r(NULL, "\n", &rest))
                paths[n_paths++] = line;
        ignore(text, gap ? (size_t) (gap - text) : strlen(text), paths, n_paths);
        if (gap)
                text[gap - text] = 0;
        match(text, paths, n_paths);
        return 0;
}
