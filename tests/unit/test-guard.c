/* guard: names, modes and targets that never land; and what warder-files says, read as hostile */
#include "cli/guard.h"

#include <string.h>
#include <unistd.h>

#include "base/danger.h"
#include "base/fds.h"
#include "base/record.h"
#include "cli/change.h"
#include "tests/tap.h"

#define BLANKS_64 "                                . . . . . . . . . . . . . . . . "

static void test_git(void) {
        static const char *const bad[] = {
                ".git",
                ".git/config",
                "a/.git/hooks/x",
                ".GIT/x",
                ".gIt",
                ".git./x",
                ".git /x",
                ".git. . ./x",
                ".git:x",
                ".git::$DATA/x",
                "git~1",
                "GIT~1/x",
                "git~1./x",
                "a\\.git\\x",
                "a\\..\\b",
                ".g\xe2\x80\x8cit/x",
                "\xe2\x80\x8e.git",
                ".git\xef\xbb\xbf/x",
                ".git\xe2\x80\x8f/x",
                "x\\git~1",
                ".git" BLANKS_64 "/hooks/x",
                ".git" BLANKS_64 "::$DATA/x",
                "git~1" BLANKS_64,
        };
        static const char *const fine[] = {
                ".gitignore",
                ".github/workflows/x",
                "git",
                "a.git",
                ".gitx/x",
                "..git",
                "git~2",
                "agit~1",
                ".git-blame-ignore",
                "a\\b",
                "..a",
                "a..",
                "\xe4",
                ".g\xc3\xaft",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                ok(guard_path(bad[i]) != NULL, "refused: %s", bad[i]);
        for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
                ok(guard_path(fine[i]) == NULL, "taken: %s", fine[i]);
}

static void test_paths(void) {
        static const char *const bad[] = { "",     "/",   "/etc/passwd", "..",   "../x", "a/../b",
                                           "a/..", "./a", "a/./b",       "a//b", "a/",   "." };
        char longer[GUARD_PATH_MAX + 2];

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                ok(guard_path(bad[i]) != NULL, "refused: \"%s\"", bad[i]);
        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = 0;
        ok(guard_path(longer) != NULL, "refused: too long");
}

static void test_modes(void) {
        static const uint32_t bad[] = { 0104755, 0102755, 0101644, 0100777, 0100600, 020666,
                                        060666,  010644,  040755,  0160000, 0140755, 1 };
        static const uint32_t fine[] = { 0, 0100644, 0100755, 0120000 };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                ok(guard_mode(bad[i]) != NULL, "refused: %o", bad[i]);
        for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
                ok(guard_mode(fine[i]) == NULL, "taken: %o", fine[i]);
}

static bool link_is_fine(const char *path, const char *target) {
        return !guard_link(path, target, strlen(target));
}

static void test_links(void) {
        ok(link_is_fine("a", "b"), "beside it");
        ok(link_is_fine("d/a", "../b"), "up, inside");
        ok(link_is_fine("d/e/a", "../../b/c"), "up twice, inside");
        ok(!link_is_fine("a", "../b"), "out");
        ok(!link_is_fine("d/a", "../../b"), "out by one");
        ok(!link_is_fine("d/a", "x/../b"), "up behind a name, which may be a link");
        ok(!link_is_fine("a", "/b"), "absolute");
        ok(!link_is_fine("a", ""), "nothing");
        ok(!link_is_fine("a", ".git/config") && !link_is_fine("d/a", "../.GIT"), "into .git");
        ok(!link_is_fine(".gitmodules", "b") && !link_is_fine("d/GITMOD~1", "b"),
           "in place of .gitmodules");
        ok(!link_is_fine("GI7EBA~9", "b") && link_is_fine("gi7ebb~1", "b"),
           "nor by the short name that has a hash in it");
        ok(guard_link("a", "b\0c", 3) != NULL, "a zero byte");
}

/* ---- changes_read() ------------------------------------------------------------------------------ */

static int read_back(const void *bytes, size_t n, Changes *ret) {
        Error err = ERROR_EMPTY;

        return changes_read(memfd_sealed("t", bytes, n, false, &err), ret, &err);
}

static size_t put(char *at, RecordHead head, const char *path, const char *bytes) {
        head.size = (uint16_t) (head.size ? head.size : strlen(path));
        memcpy(at, &head, sizeof(head));
        memcpy(at + sizeof(head), path, strlen(path) + 1);
        memcpy(at + sizeof(head) + head.size, bytes, strlen(bytes));
        return sizeof(head) + head.size + strlen(bytes);
}

#define HEAD(...) ((RecordHead){ .kind = RECORD_CHANGE, .flags = PATH_ADDED, __VA_ARGS__ })

static void test_changes(void) {
        static const RecordHead bad[] = {
                { .kind = RECORD_PATH, .flags = PATH_ADDED },
                { .kind = RECORD_CHANGE, .flags = 0 },
                { .kind = RECORD_CHANGE, .flags = PATH_MODE },
                HEAD(.b = 4),
                HEAD(.b = UINT64_MAX),
                HEAD(.b = UINT64_MAX - 2),
                HEAD(.a = 0200000),
                HEAD(.size = 9),
                HEAD(.size = RECORD_DATA_MAX + 1),
        };
        char text[3 * RECORD_DATA_MAX] = "";
        Changes changes = CHANGES_EMPTY;
        size_t n = put(text, HEAD(.a = 0100644, .b = 3), "a/b", "xyz");

        n += put(text + n, (RecordHead){ .kind = RECORD_CHANGE, .flags = PATH_DELETED }, "c", "");
        ok(read_back(text, n, &changes) == 0 && changes.n == 2, "two changes");
        ok(changes.n == 2 && strcmp(changes.items[0].path, "a/b") == 0 &&
                   changes.items[0].mode == 0100644 && changes.items[0].n == 3,
           "names, modes and sizes");
        ok(changes_find(&changes, "c") == &changes.items[1] && !changes_find(&changes, "d"),
           "found by path");
        changes_deinit(&changes);
        for (size_t i = 1; i < n; i++) {
                if (i == n - sizeof(RecordHead) - 1)
                        continue; /* whole records alone */
                ok(read_back(text, i, &changes) < 0, "cut at %zu", i);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                n = put(text, bad[i], "a/b", "xyz");
                if (bad[i].size)
                        n = sizeof(RecordHead) + 6;
                if (bad[i].b == 0)
                        n = bad[i].size ? n : sizeof(RecordHead) + 3;
                ok(read_back(text, n, &changes) < 0, "a record that cannot be: %zu", i);
        }
        n = put(text, HEAD(.size = 3), "a", "");
        ok(read_back(text, n, &changes) < 0, "a name with a zero byte");
}

static void test_danger(void) {
        static const char *const known[] = {
                ".envrc",
                "sub/.envrc",
                ".vscode/tasks.json",
                "Makefile",
                "a/b/GNUmakefile",
                ".github/workflows/ci.yml",
                ".gitlab-ci.yml",
                "conftest.py",
                "setup.py",
                ".npmrc",
                "package.json",
                "x/package-lock.json",
                ".husky/pre-push",
                ".IDEA/workspace.xml",
                ".bashrc",
                "Cargo.lock",
                "CLAUDE.md",
                ".Claude/settings.json",
                "a/b.pth",
                ".git-hooks/../hooks/x",
        };
        static const char *const plain[] = { "src/main.c", "README.md", "test_x.py",
                                             "src/make.c", "idea/x",    "docs/env.md" };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                ok(danger_of(known[i]) != NULL, "runs: %s", known[i]);
        for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
                ok(danger_of(plain[i]) == NULL, "does not run: %s", plain[i]);
        ok(danger_of_mode(0100644, 0100755) && danger_of_mode(0, 0100755), "newly executable");
        ok(!danger_of_mode(0100755, 0100755) && !danger_of_mode(0100755, 0), "not newly");
        ok(danger_of_mode(0, 0120000) && !danger_of_mode(0120000, 0120000), "a new link");
}

int main(void) {
        test_git();
        test_paths();
        test_modes();
        test_links();
        test_changes();
        test_danger();
        return tap_end();
}
