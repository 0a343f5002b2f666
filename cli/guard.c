/*
 * guard: see guard.h. The spellings of ".git" are those that git itself guards (verify_path() of its
 * read-cache.c, with core.protectHFS and core.protectNTFS on, whatever this file system is: the tree may be
 * carried to another):
 *
 *   any case; dots and blanks at the end, which NTFS drops; ":…" behind it, a stream of NTFS;
 *   "git~1", its short name on NTFS; a backslash where NTFS sees a separator;
 *   characters of no width in it, which HFS+ drops.
 *
 * The same spellings of ".gitmodules" may not be links, which git refuses too.
 */
#include "cli/guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"

/* What HFS+ leaves out of names (next_hfs_char() of git's utf8.c). */
static bool is_ignored_by_hfs(uint32_t code) {
        return (code >= 0x200c && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
               (code >= 0x206a && code <= 0x206f) || code == 0xfeff;
}

/* @part without characters of no width, cut to what a name of git's could need. */
static size_t without_ignored(const char *part, size_t n, char *ret, size_t max) {
        size_t at = 0, used = 0;

        while (at < n && used < max) {
                uint32_t code = 0;
                size_t step = utf8_next(part + at, n - at, &code);

                if (step > 1 && is_ignored_by_hfs(code)) {
                        at += step;
                        continue;
                }
                ret[used++] = part[at++];
        }
        return used;
}

/* Behind the name itself NTFS sees nothing: dots, blanks, or a stream. */
static bool ends_for_ntfs(const char *rest, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (rest[i] == ':')
                        return true;
                if (rest[i] != '.' && rest[i] != ' ')
                        return false;
        }
        return true;
}

static bool is_spelling(const char *part, size_t n, const char *name) {
        size_t m = strlen(name);
        char plain[64];
        size_t used = without_ignored(part, n, plain, sizeof(plain));

        return used >= m && strncasecmp(plain, name, m) == 0 && ends_for_ntfs(plain + m, used - m);
}

/* Where the short names with letters are taken: "gi7eba~1", "gi7eb~10"; four of its letters are a hash. */
static bool is_hashed_modules(const char *part, size_t n) {
        static const char hashed[] = "gi7eba";
        size_t letters = 0, at;

        while (letters < 6 && letters < n &&
               tolower((unsigned char) part[letters]) == hashed[letters])
                letters++;
        at = letters + 1;
        if (n < 8 || part[letters] != '~' || part[at] == '0')
                return false;
        while (at < 8 && isdigit((unsigned char) part[at]))
                at++;
        return at == 8 && ends_for_ntfs(part + 8, n - 8);
}

/* Short names: "git~1"; of longer names the first six letters, "gitmod~1" to "~4". */
static bool is_short_modules(const char *part, size_t n) {
        if (n >= 8 && strncasecmp(part, "gitmod~", 7) == 0 && part[7] >= '1' && part[7] <= '4')
                return ends_for_ntfs(part + 8, n - 8);
        return is_hashed_modules(part, n);
}

static const char *guard_part(const char *part, size_t n) {
        if (n == 0)
                return "has an empty component";
        if ((n == 1 && *part == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
                return "has the component \".\" or \"..\", and may lead out of the tree";
        if (is_spelling(part, n, ".git") || is_spelling(part, n, "git~1"))
                return "is a spelling of \".git\", which git itself would act on";
        if (n > 255)
                return "has a component of more than 255 bytes";
        return NULL;
}

/* A backslash separates for NTFS: what then would be a component of its own must not be one of git's. */
static const char *guard_backslash(const char *part, size_t n) {
        size_t at = 0;

        while (at < n) {
                const char *next = memchr(part + at, '\\', n - at);
                size_t m = next ? (size_t) (next - part) - at : n - at;

                if (m > 0 &&
                    (is_spelling(part + at, m, ".git") || is_spelling(part + at, m, "git~1") ||
                     (m == 2 && memcmp(part + at, "..", 2) == 0)))
                        return "has \".git\" or \"..\" between backslashes, which separate on "
                               "other systems";
                at += m + 1;
        }
        return NULL;
}

const char *guard_path(const char *path) {
        const char *why = NULL;

        if (!*path)
                return "is empty";
        if (*path == '/')
                return "is absolute";
        if (strlen(path) >= GUARD_PATH_MAX)
                return "is longer than Linux allows";
        for (const char *at = path; !why; at++) {
                size_t n = strcspn(at, "/");

                why = guard_part(at, n);
                if (!why && memchr(at, '\\', n))
                        why = guard_backslash(at, n);
                at += n;
                if (!*at)
                        break;
        }
        return why;
}

const char *guard_mode(uint32_t mode) {
        static const uint32_t fine[] = { 0, 0100644, 0100755, 0120000 };

        for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
                if (mode == fine[i])
                        return NULL;
        if (mode == 0160000)
                return "is a submodule: a patch may only bring files and links";
        if ((mode & 0170000) == 0100000)
                return "has a mode other than 644 and 755: no set-id bit or the like may come with "
                       "a patch";
        return "is no file and no link: devices, directories and the like do not come with a patch";
}

static bool is_git_link(const char *path) {
        const char *leaf = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

        return is_spelling(leaf, strlen(leaf), ".gitmodules") ||
               is_short_modules(leaf, strlen(leaf));
}

/*
 * Where a target leads, component by component, from the directory that holds the link, which is reached
 * through no link. ".." behind a name is refused: the name may be a link, and then it leads elsewhere than up.
 */
const char *guard_link(const char *path, const char *target, size_t n) {
        int depth = 0;
        bool named = false;

        if (n == 0 || n >= GUARD_PATH_MAX || memchr(target, 0, n))
                return "is a link whose target is empty, too long, or has a zero byte";
        if (*target == '/')
                return "is a link to an absolute path, which leads out of the tree";
        if (is_git_link(path))
                return "would make a link of .gitmodules, which git itself would follow";
        for (const char *at = path; (at = strchr(at, '/')); at++)
                depth++;
        for (size_t at = 0; at < n;) {
                const char *next = memchr(target + at, '/', n - at);
                size_t m = next ? (size_t) (next - target) - at : n - at;

                if (m == 2 && memcmp(target + at, "..", 2) == 0)
                        depth = named ? -1 : depth - 1;
                else if (m > 0 && !(m == 1 && target[at] == '.'))
                        named = true;
                if (depth < 0)
                        return "is a link that leads out of the tree";
                if (is_spelling(target + at, m, ".git") || is_spelling(target + at, m, "git~1"))
                        return "is a link into \".git\"";
                at += m + 1;
        }
        return NULL;
}
