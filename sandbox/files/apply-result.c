/* apply-result: see apply-result.h. */
#include "sandbox/files/apply-result.h"

#include <errno.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/blob-id.h"
#include "sandbox/files/names.h"
#include "sandbox/files/patch-binary.h"
#include "sandbox/files/patch-hunk.h"
#include "sandbox/files/side.h"

#define ID_NOTHING "0000000000000000000000000000000000000000"

typedef struct Work {
        const PatchFile *file;
        const char *path; /* for records */
        Report *report;
        PatchSide old;
} Work;

static int misfit(const Work *work, const char *why) {
        return report_refuse(work->report, RULE_PATCH_MISFIT, work->path, "%s", why);
}

static bool is_link(unsigned mode) {
        return mode == PATCH_MODE_LINK;
}

static int read_old(Work *work, int dir, char **ret_bytes, Error *err) {
        const PatchFile *file = work->file;
        int r;

        if (!file->old_path)
                return 0;
        r = side_read(dir, file->old_path, &work->old, ret_bytes);
        if (r == -EFBIG)
                return report_refuse(work->report, RULE_FILE_SIZE, work->path,
                                     "it is larger than %u MiB, too large for a patch",
                                     PATCH_FILE_MAX >> 20);
        if (r < 0)
                return error_set(err, r, "read a file of the base");
        if (work->old.mode == 0)
                return misfit(work, "the base has no such file");
        if (file->old_mode != 0 && is_link(file->old_mode) != is_link(work->old.mode))
                return misfit(work, "in the base it is of another type");
        if (file->new_mode != 0 && is_link(file->new_mode) != is_link(work->old.mode))
                return misfit(work, "in the base it is of another type");
        return 0;
}

/* Is this the id that a side of a binary piece was made for. */
static int check_id(const Work *work, const char *id, const HunkBytes *content, const char *why,
                    Error *err) {
        char have[BLOB_ID_TEXT_MAX];
        int r;

        if (strcmp(id, ID_NOTHING) == 0)
                return content->n == 0 ? 0 : misfit(work, why);
        r = blob_id(content->bytes, content->n, have, err);
        if (r < 0)
                return r;
        return strcmp(id, have) == 0 ? 0 : misfit(work, why);
}

static int apply_binary(const Work *work, HunkBytes *ret_new, char **ret_bytes, Error *err) {
        const PatchFile *file = work->file;
        Error reason = ERROR_EMPTY;
        int r = check_id(work, file->old_id, &work->old.content,
                         "the base's file is not the one that the binary change was made for", err);

        if (r < 0)
                return r;
        r = patch_binary_apply(file->body, work->old.content, ret_bytes, &ret_new->n, &reason);
        if (r == -EBADMSG || r == -EFBIG)
                return misfit(work, reason.text);
        if (r < 0)
                return error_say(err, r, "%s", reason.text);
        ret_new->bytes = *ret_bytes;
        return check_id(work, file->new_id, ret_new, "the binary change does not give what it says",
                        err);
}

static int apply_text(const Work *work, HunkBytes *ret_new, char **ret_bytes, Error *err) {
        int r = hunk_apply_all(work->file->body, work->old.content, work->file->without, ret_bytes,
                               &ret_new->n);

        if (r > 0)
                return report_refuse(work->report, RULE_PATCH_MISFIT, work->path,
                                     "hunk %d does not fit the base", r);
        if (r < 0)
                return error_set(err, r, "apply a hunk");
        ret_new->bytes = *ret_bytes;
        return 0;
}

/* git takes nothing for a link whose target would be cut or refused by the kernel. */
static int check_result(const Work *work, unsigned mode, HunkBytes content) {
        if (!work->file->new_path && content.n > 0)
                return misfit(work, "the patch deletes it, but not all that is in it");
        if (content.n > PATCH_FILE_MAX)
                return report_refuse(work->report, RULE_FILE_SIZE, work->path,
                                     "it would be larger than %u MiB", PATCH_FILE_MAX >> 20);
        if (work->file->new_path && is_link(mode) &&
            (content.n == 0 || content.n >= NAME_PATH_MAX || memchr(content.bytes, 0, content.n)))
                return misfit(work, "the link's target is empty, too long, or has a byte 0");
        return 0;
}

int apply_result(int old, const PatchFile *file, Report *report, PatchSide *ret_result,
                 char **ret_bytes, Error *err) {
        Work work = { .file = file,
                      .path = file->new_path ? file->new_path : file->old_path,
                      .report = report };
        autofree char *old_bytes = NULL, *new_bytes = NULL;
        HunkBytes content = { 0 };
        unsigned mode;
        int r = read_old(&work, old, &old_bytes, err);

        if (r < 0)
                return r;
        if (file->binary)
                r = apply_binary(&work, &content, &new_bytes, err);
        else if (file->body.n > 0)
                r = apply_text(&work, &content, &new_bytes, err);
        else {
                content = work.old.content;
                new_bytes = TAKE_PTR(old_bytes);
        }
        if (r < 0)
                return r;
        mode = file->new_mode != 0 ? file->new_mode : work.old.mode;
        r = check_result(&work, mode, content);
        if (r < 0)
                return r;
        *ret_result = (PatchSide){ .mode = file->new_path ? mode : 0, .content = content };
        *ret_bytes = TAKE_PTR(new_bytes);
        return 0;
}
