/* patch-part: see patch-part.h. */
#include "sandbox/files/patch-part.h"

#include <errno.h>
#include <string.h>

#include "sandbox/files/patch-hunk.h"
#include "sandbox/files/protect.h"

typedef enum PatchRole { ROLE_CHANGE = 0, ROLE_RULES, ROLE_TEST } PatchRole;

static PatchRole path_role(const PatchPart *part, const char *path) {
        if (!path || (!protect_matches(part->protect, path) && !protect_is_dangerous(path)))
                return ROLE_CHANGE;
        return globs_match(part->rules, path) || protect_is_dangerous(path) ? ROLE_RULES
                                                                            : ROLE_TEST;
}

/* A file that is moved from one side to the other is on that of the tests. */
static PatchRole role_of(const PatchPart *part, const PatchFile *file) {
        PatchRole old = path_role(part, file->old_path), new = path_role(part, file->new_path);

        return old > new ? old : new;
}

static HunkKind kind_of(const PatchFile *file) {
        if (!file->old_path || file->copy)
                return HUNK_ADDED;
        if (!file->new_path)
                return HUNK_DELETED;
        if (strcmp(file->old_path, file->new_path) != 0)
                return HUNK_RENAMED;
        if (file->binary)
                return HUNK_BINARY;
        return patch_file_changes_head(file) ? HUNK_MODE : HUNK_TEXT;
}

/* ---- listing ------------------------------------------------------------------------------------- */

typedef struct Lister {
        Report *report;
        unsigned most;
        unsigned n;
} Lister;

static int tell_hunk(Lister *lister, const PatchFile *file, HunkKind kind, const HunkSpan *span) {
        const char *path = file->new_path ? file->new_path : file->old_path;
        RecordHead head = { .kind = RECORD_HUNK,
                            .flags = kind,
                            .a = ++lister->n,
                            .b = span->first << 32 | (span->lines & UINT32_MAX) };

        return lister->n > lister->most ? 0
                                        : report_bytes(lister->report, &head, path, strlen(path));
}

/* What is no change of lines alone goes or stays as a whole, however many hunks it has. */
static int list_file(Lister *lister, const PatchFile *file) {
        HunkKind kind = kind_of(file);
        const char *at = file->body.bytes, *end = at ? at + file->body.n : NULL;
        HunkSpan span = { 0 };
        PatchHunk hunk;
        int r = 0;

        if (kind == HUNK_TEXT || (kind == HUNK_ADDED && !file->binary)) {
                while (r == 0 && at < end && (r = hunk_take(&at, end, &hunk)) == 0) {
                        span = hunk_span(&hunk);
                        if (kind != HUNK_TEXT)
                                break;
                        r = tell_hunk(lister, file, kind, &span);
                }
        }
        return kind == HUNK_TEXT || r < 0 ? r : tell_hunk(lister, file, kind, &span);
}

static int list_test(Report *report, const PatchFile *file) {
        bool added = !file->old_path || file->copy;

        return report_path(report, RECORD_TEST_FILE,
                           added            ? PATH_ADDED
                           : file->new_path ? PATH_MODIFIED
                                            : PATH_DELETED,
                           0, file->new_path ? file->new_path : file->old_path);
}

int patch_part_list(const Patch *patch, const PatchPart *part, Report *report, Error *err) {
        Lister lister = { .report = report, .most = part->list };
        int r = 0;

        for (unsigned i = 0; i < patch->n_files && r >= 0; i++) {
                const PatchFile *file = &patch->files[i];
                PatchRole role = role_of(part, file);

                if (role == ROLE_CHANGE)
                        r = list_file(&lister, file);
                else if (role == ROLE_TEST)
                        r = list_test(report, file);
        }
        if (r >= 0)
                r = report_numbers(report, RECORD_TOTALS, lister.n, 0);
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

/* ---- taking -------------------------------------------------------------------------------------- */

static unsigned count_hunks(const PatchFile *file) {
        const char *at = file->body.bytes, *end = at ? at + file->body.n : NULL;
        unsigned n = 0;
        PatchHunk hunk;

        if (kind_of(file) != HUNK_TEXT)
                return 1;
        while (at < end && hunk_take(&at, end, &hunk) == 0)
                n++;
        return n;
}

typedef struct Keeping {
        const PatchPart *part;
        const PatchFile *left_out; /* NULL: none */
} Keeping;

static bool stays(const PatchFile *file, const void *userdata) {
        const Keeping *keeping = userdata;

        switch (keeping->part->kind) {
        case PATCH_TESTS:
                return role_of(keeping->part, file) != ROLE_CHANGE;
        case PATCH_OLD_TESTS:
                return role_of(keeping->part, file) != ROLE_TEST || !file->old_path || file->copy;
        case PATCH_WITHOUT:
                return file != keeping->left_out;
        case PATCH_WHOLE:
                break;
        }
        return true;
}

/* The file that the hunk is of, and which of its hunks it is; NULL: there is no such hunk */
static PatchFile *find_hunk(const Patch *patch, const PatchPart *part, unsigned *ret_number) {
        unsigned before = 0;

        for (unsigned i = 0; i < patch->n_files; i++) {
                PatchFile *file = &patch->files[i];
                unsigned n = role_of(part, file) == ROLE_CHANGE ? count_hunks(file) : 0;

                if (part->without <= before + n) {
                        *ret_number = part->without - before;
                        return file;
                }
                before += n;
        }
        return NULL;
}

int patch_part_take(Patch *patch, const PatchPart *part, Error *err) {
        Keeping keeping = { .part = part };
        unsigned number = 0;
        PatchFile *file;

        if (part->kind == PATCH_WITHOUT) {
                file = part->without > 0 ? find_hunk(patch, part, &number) : NULL;
                if (!file)
                        return error_say(err, -EINVAL,
                                         "the patch has no hunk %u that can be taken away",
                                         part->without);
                if (count_hunks(file) > 1) {
                        file->without = number;
                        return 0;
                }
                keeping.left_out = file; /* the last hunk of a file is the file */
        }
        patch_keep(patch, stays, &keeping);
        return 0;
}
