#pragma once
/*
 * protect: the protection layer of a verify. It looks at what a patch did to the base, and takes back what would
 * let the work under test judge itself: protected files of the base are put back, and files that runners
 * obey without being asked (a conftest.py, a GNUmakefile) go away again where the patch brought them. So do
 * files that would lie above what setup made (the runner itself may be there), and files that the base's
 * .gitignore leaves out: where setup or a build makes them, those made by the patch would be taken for theirs.
 */
#include "sandbox/files/apply-plan.h"
#include "sandbox/files/glob.h"

typedef struct Protect {
        int old;              /* the base, borrowed */
        int tree;             /* the tree after the patch, borrowed */
        int setup;            /* what setup made above the base, borrowed; negative: nothing */
        const Globs *protect; /* borrowed */
        const Globs *allow;   /* borrowed */
        Report *report;       /* borrowed */
} Protect;

/** protect_is_dangerous() - is this a path by which a file is obeyed without being asked */
bool protect_is_dangerous(const char *path);

/**
 * protect_matches() - is @path one of those that @globs name
 *
 * "test" itself is taken for one that "test/<two stars>" names: a link in the place of a protected directory
 * would lead a runner elsewhere.
 */
bool protect_matches(const Globs *globs, const char *path);

/** protect_holds() - is @path protected, and not allowed to change */
bool protect_holds(const Protect *protect, const char *path);

/** protect_run() - take back, and report what. Returns: 0 or negative errno */
int protect_run(const Protect *protect, const ApplyPlan *plan, Error *err);
