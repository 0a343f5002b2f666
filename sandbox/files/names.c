/* names: see names.h. */
#include "sandbox/files/names.h"

#include <string.h>
#include <strings.h>

/* A tab is the one control byte that lives in real file names; it harms no terminal and no record. */
static bool has_bad_byte(const char *path, size_t n) {
        size_t i;

        for (i = 0; i < n; i++) {
                unsigned char c = (unsigned char) path[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return true;
        }
        return false;
}

/* Add one component to the clean path that ends at @at. */
static RecordRule add_part(char *clean, size_t *at, const char *part, size_t n) {
        if (n == 2 && part[0] == '.' && part[1] == '.')
                return RULE_NAME_DOTDOT;
        if (n > NAME_PART_MAX || *at + n + 2 > NAME_PATH_MAX)
                return RULE_NAME_LONG;
        if (*at > 0)
                clean[(*at)++] = '/';
        memcpy(clean + *at, part, n);
        *at += n;
        return RULE_NONE;
}

RecordRule name_clean(const char *path, size_t n, char *ret_clean) {
        const char *end = path + n;
        unsigned depth = 0;
        size_t at = 0;

        if (n == 0)
                return RULE_NAME_EMPTY;
        if (*path == '/')
                return RULE_NAME_ABSOLUTE;
        if (has_bad_byte(path, n))
                return RULE_NAME_BYTES;
        while (path < end) {
                const char *slash = memchr(path, '/', (size_t) (end - path));
                size_t part = (size_t) ((slash ? slash : end) - path);
                RecordRule rule = RULE_NONE;

                if (part > 0 && !(part == 1 && *path == '.')) {
                        rule = add_part(ret_clean, &at, path, part);
                        if (rule == RULE_NONE && ++depth > NAME_DEPTH_MAX)
                                rule = RULE_NAME_DEPTH;
                }
                if (rule != RULE_NONE)
                        return rule;
                path += part + (slash ? 1 : 0);
        }
        ret_clean[at] = 0;
        return RULE_NONE;
}

const char *name_sentence(RecordRule rule) {
        static const char *const sentences[_RECORD_RULE_MAX] = {
                [RULE_NAME_EMPTY] = "the name is empty",
                [RULE_NAME_ABSOLUTE] =
                        "the name begins with a slash; names are relative to the tree",
                [RULE_NAME_DOTDOT] =
                        "the name has the component \"..\", which leads out of the tree",
                [RULE_NAME_BYTES] = "the name has a control byte",
                [RULE_NAME_LONG] =
                        "the name is longer than Linux allows (255 bytes a component, 4095 in all)",
                [RULE_NAME_DEPTH] = "the name is more than 256 directories deep",
                [RULE_NAME_GIT] =
                        "the name has the component \".git\", which git itself would act on",
        };
        const char *sentence = rule < _RECORD_RULE_MAX ? sentences[rule] : NULL;

        return sentence ? sentence : "the name is not allowed";
}

const char *name_leaf(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

bool name_has_git(const char *path) {
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n == 4 && strncasecmp(path, ".git", 4) == 0)
                        return true;
                path += n + (path[n] == '/');
        }
        return false;
}

bool name_join(char *ret_path, const char *dir, const char *leaf) {
        size_t n = strlen(dir), m = strlen(leaf);

        if (n + m + 2 > NAME_PATH_MAX)
                return false;
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the zero comes with @leaf */
        memmove(ret_path, dir, n);
        if (n > 0)
                ret_path[n++] = '/';
        memcpy(ret_path + n, leaf, m + 1);
        return true;
}
