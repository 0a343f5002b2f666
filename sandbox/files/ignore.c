/* ignore: see ignore.h. */
#include "sandbox/files/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/glob.h"
#include "sandbox/files/names.h"

/* Blanks at the end do not count unless a backslash quotes them; nor does the end of a DOS line. */
static void trim(char *line) {
        size_t n = strlen(line);

        if (n > 0 && line[n - 1] == '\r')
                line[--n] = 0;
        while (n > 0 && line[n - 1] == ' ' && !(n > 1 && line[n - 2] == '\\'))
                line[--n] = 0;
}

static bool parse_rule(char *line, IgnoreRule *ret_rule) {
        IgnoreRule rule = { 0 };
        size_t n;

        trim(line);
        if (*line == '#')
                return false;
        rule.negated = *line == '!';
        line += rule.negated;
        n = strlen(line);
        if (n > 0 && line[n - 1] == '/') {
                rule.dirs_only = true;
                line[--n] = 0;
        }
        rule.anchored = strchr(line, '/') != NULL;
        line += *line == '/';
        rule.pattern = line;
        *ret_rule = rule;
        return *line != 0;
}

static int parse(IgnoreFile *file, size_t n) {
        char *at = file->text, *end = file->text + n;
        unsigned room = 1;

        for (; at < end; at++)
                room += *at == '\n';
        file->rules = calloc(room, sizeof(IgnoreRule));
        if (!file->rules)
                return -ENOMEM;
        at = file->text;
        if (n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
                at += 3;
        while (at < end) {
                char *next = at + strcspn(at, "\n");

                *next = 0;
                if (parse_rule(at, &file->rules[file->n]))
                        file->n++;
                at = next + 1;
        }
        return 0;
}

int ignore_load(IgnoreFile *file, int old, const char *dir, const IgnoreFile *outer) {
        autoclose int fd = -EBADF;
        char path[NAME_PATH_MAX];
        struct stat st;
        size_t n = 0;
        int r;

        *file = (IgnoreFile){ .outer = outer, .dir = *dir ? strlen(dir) + 1 : 0 };
        if (!name_join(path, dir, ".gitignore"))
                return 0;
        fd = beneath_open(old, path, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        r = fd_read_all(fd, IGNORE_FILE_MAX, &file->text, &n);
        if (r == -EFBIG)
                return 0;
        return r < 0 ? r : parse(file, n);
}

void ignore_unload(IgnoreFile *file) {
        free(file->rules);
        free(file->text);
        file->rules = NULL;
        file->text = NULL;
        file->n = 0;
}

static bool rule_matches(const IgnoreRule *rule, const char *path, bool is_dir) {
        if (rule->dirs_only && !is_dir)
                return false;
        return glob_match(rule->pattern, rule->anchored ? path : name_leaf(path));
}

bool ignore_matches(const IgnoreFile *innermost, const char *path, bool is_dir) {
        const IgnoreFile *file;
        unsigned i;

        for (file = innermost; file; file = file->outer)
                for (i = file->n; i-- > 0;)
                        if (rule_matches(&file->rules[i], path + file->dir, is_dir))
                                return !file->rules[i].negated;
        return false;
}
