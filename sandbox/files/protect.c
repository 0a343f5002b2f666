/* protect: see protect.h. */
#include "sandbox/files/protect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/files/names.h"
#include "sandbox/files/tree-write.h"

/* Patterns of whole paths, and who obeys such a file. */
static const char *const dangerous[] = {
        /* Python: imported at start, or read by the test runner */
        "**/sitecustomize.py",
        "**/usercustomize.py",
        "**/*.pth",
        "**/conftest.py",
        "**/pytest.ini",
        "**/.pytest.ini",
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
        /* others: settings that a build or a test tool looks for beside the sources or above them */
        "**/.cargo/config",
        "**/.cargo/config.toml",
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

bool protect_is_dangerous(const char *path) {
        size_t i;

        for (i = 0; i < ELEMENTS(dangerous); i++)
                if (glob_match(dangerous[i], path))
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

static int check_added(const Protect *protect, const char *path, Error *err) {
        int r = 0;

        if (protect_is_dangerous(path) && !globs_match(protect->allow, path)) {
                r = tree_remove(protect->tree, path, err);
                return r < 0 ? r : report_path(protect->report, RECORD_DANGEROUS, 0, 0, path);
        }
        if (globs_match(protect->protect, path))
                r = report_path(protect->report, RECORD_NEW_TEST, 0, 0, path);
        return r;
}

static int check_changed(const Protect *protect, const ApplyChange *change, Error *err) {
        int r;

        if (!protect_matches(protect->protect, change->path))
                return 0;
        r = tree_restore(protect->tree, protect->old, change->path, err);
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
                        r = check_added(protect, plan->changes[i].path, err);
        for (i = 0; i < plan->n_changes && r >= 0; i++)
                if (plan->changes[i].change != PATH_ADDED)
                        r = check_changed(protect, &plan->changes[i], err);
        return r < 0 && err && err->code == 0 ? error_set(err, r, "write a record") : r;
}
