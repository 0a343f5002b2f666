/* protect: see protect.h. */
#include "sandbox/files/protect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/files/beneath.h"
#include "sandbox/files/ignore.h"
#include "sandbox/files/names.h"
#include "sandbox/files/tree-write.h"

/* Patterns of whole paths, and who obeys such a file. */
static const char *const dangerous[] = {
        /* Python: imported at start, or read by the test runner */
        "**/sitecustomize.*",
        "**/sitecustomize/**",
        "**/usercustomize.*",
        "**/usercustomize/**",
        "**/__pycache__/**", /* taken in place of a source, protected or not */
        "**/*.pyc",
        "pytest.py", /* "python -m" looks here first */
        "pytest/**",
        "_pytest/**",
        "unittest.py",
        "unittest/**",
        "**/*.pth",
        "**/conftest.py",
        "**/pytest.ini",
        "**/.pytest.ini",
        "**/pytest.toml",
        "**/.pytest.toml",
        "**/pyproject.toml",
        "**/tox.ini",
        "**/setup.cfg",
        "**/.coveragerc",
        "**/.noserc",
        "**/nose.cfg",
        /* make takes the first of GNUmakefile, makefile, Makefile */
        "**/GNUmakefile",
        "**/makefile",
        /* Node */
        "**/.npmrc",
        "**/.yarnrc",
        "**/.yarnrc.yml",
        "**/.pnpmfile.cjs",
        "**/.mocharc.*",
        "**/.node-version",
        "**/jest.config.*",
        "**/vitest.config.*",
        "**/vitest.workspace.*",
        "**/.taprc",
        "**/babel.config.*",
        "**/.babelrc*",
        "**/bunfig.toml",
        "**/node_modules/**", /* found before what the host has */
        /* others: settings that a build or a test tool looks for beside the sources or above them */
        "**/.cargo/config",
        "**/.cargo/config.toml",
        "**/rust-toolchain",
        "**/rust-toolchain.toml",
        "**/go.work",
        "**/.mvn/**",
        "**/phpunit.xml",
        "**/Directory.Build.props",
        "**/Directory.Build.targets",
        "**/.rspec",
        "**/.proverc",
        "**/.bazelrc",
        "**/CTestCustom.cmake",
        "**/CTestConfig.cmake",
        "**/.gdbinit",
        "**/.valgrindrc",
};

/* A link may stand where a directory would: what "name/<two stars>" names, "name" itself does as well. */
bool protect_is_dangerous(const char *path) {
        char inside[NAME_PATH_MAX + 2];
        size_t i;

        snprintf(inside, sizeof(inside), "%s/x", path);
        for (i = 0; i < ELEMENTS(dangerous); i++)
                if (glob_match(dangerous[i], path) || glob_match(dangerous[i], inside))
                        return true;
        return false;
}

bool protect_matches(const Globs *globs, const char *path) {
        char inside[NAME_PATH_MAX + 2];

        if (globs_match(globs, path))
                return true;
        snprintf(inside, sizeof(inside), "%s/x", path);
        return strlen(path) < NAME_PATH_MAX && globs_match(globs, inside);
}

bool protect_holds(const Protect *protect, const char *path) {
        return protect_matches(protect->protect, path) && !globs_match(protect->allow, path);
}

/* Would it hide what setup made: there, above it (setup has a file or a link as its parent), or below it. */
static bool hides_setup(const Protect *protect, const char *path) {
        char parent[NAME_PATH_MAX];
        struct stat st;
        size_t n;

        if (protect->setup < 0)
                return false;
        for (n = strcspn(path, "/"); path[n]; n += 1 + strcspn(path + n + 1, "/")) {
                memcpy(parent, path, n);
                parent[n] = 0;
                if (beneath_stat(protect->setup, parent, &st) < 0)
                        return false;
                if (!S_ISDIR(st.st_mode))
                        return true;
        }
        return beneath_stat(protect->setup, path, &st) == 0;
}

/* @at: how much of the path is known to be no ignored directory. */
static int ask_ignored(const Protect *protect, const ApplyChange *change, size_t at,
                       const IgnoreFile *outer) {
        const char *path = change->path;
        size_t n = at + strcspn(path + at, "/");
        bool is_dir = path[n] || change->mode == PATCH_MODE_LINK;
        IgnoreFile file = { 0 };
        char part[NAME_PATH_MAX];
        int r;

        memcpy(part, path, at);
        part[at > 0 ? at - 1 : 0] = 0; /* the directory, without its slash */
        r = ignore_load(&file, protect->old, part, outer);
        if (r >= 0) {
                memcpy(part, path, n);
                part[n] = 0;
                r = ignore_matches(&file, part, is_dir);
        }
        if (r == 0 && path[n])
                r = ask_ignored(protect, change, n + 1, &file);
        ignore_unload(&file);
        return r;
}

/*
 * Does it bring what the base's .gitignore leaves out: a product of the build, newer than its sources, would be
 * taken for theirs. A link may lead to such products, so it counts as a directory. Returns: 1, 0, negative errno
 */
static int is_ignored(const Protect *protect, const ApplyChange *change) {
        return ask_ignored(protect, change, 0, NULL);
}

static int check_added(const Protect *protect, const ApplyChange *change, Error *err) {
        const char *path = change->path;
        int r = is_ignored(protect, change);

        if (r < 0)
                return error_set(err, r, "read a .gitignore of the base");
        if ((r > 0 || protect_is_dangerous(path) || hides_setup(protect, path)) &&
            !globs_match(protect->allow, path)) {
                r = tree_remove(protect->tree, path, err);
                return r < 0 ? r : report_path(protect->report, RECORD_DANGEROUS, 0, 0, path);
        }
        return globs_match(protect->protect, path)
                       ? report_path(protect->report, RECORD_NEW_TEST, 0, 0, path)
                       : 0;
}

static int check_changed(const Protect *protect, const ApplyChange *change, Error *err) {
        const TreePair trees = { protect->tree, protect->old };
        int r;

        if (!protect_holds(protect, change->path))
                return 0;
        r = tree_restore(&trees, change->path, err);
        return r < 0 ? r
                     : report_path(protect->report, RECORD_RESTORED, change->change, 0,
                                   change->path);
}

/* What was added is looked at first: to put a file back may take away what was added in its place. */
int protect_run(const Protect *protect, const ApplyPlan *plan, Error *err) {
        unsigned i;
        int r = 0;

        for (i = 0; i < plan->n_changes && r >= 0; i++)
                if (plan->changes[i].change == PATH_ADDED)
                        r = check_added(protect, &plan->changes[i], err);
        for (i = 0; i < plan->n_changes && r >= 0; i++)
                if (plan->changes[i].change != PATH_ADDED)
                        r = check_changed(protect, &plan->changes[i], err);
        return r < 0 && err && err->code == 0 ? error_set(err, r, "write a record") : r;
}
