/*
 * apply-source: see apply-source.h. A verdict speaks of one patch, which it names by SHA-256: another patch
 * is never applied in its name, and no flag changes that.
 */
#include "cli/apply-source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/owned.h"
#include "cli/ask-once.h"
#include "cli/receipt-check.h"
#include "cli/user-file.h"
#include "cli/verdict.h"

#define PATCH_BYTES_MAX (256ul * 1024 * 1024)
#define VERDICT_MAX     (4ul * 1024 * 1024)

void apply_source_deinit(ApplySource *source) {
        free(source->bytes);
        (void) json_free(source->verdict);
        *source = (ApplySource){ 0 };
}

static int take_patch(ApplySource *source, int fd, Error *err) {
        int r = lseek(fd, 0, SEEK_SET) < 0
                        ? -errno
                        : fd_read_all(fd, PATCH_BYTES_MAX, &source->bytes, &source->n);

        if (r < 0)
                return error_set(err, r, "read the patch");
        sha256_text(source->bytes, source->n, source->digest);
        return 0;
}

static int ask_task(Link *link, const char *method, const char *id, Answer *ret, Error *err) {
        Ask ask = { .method = method, .params = cJSON_CreateObject() };

        json_add_text(ask.params, "task", id);
        return ask_pages(link, &ask, ret, err);
}

/* The last verdict counts only where the task ended with it. */
static int take_task(ApplySource *source, const cJSON *task, Error *err) {
        const cJSON *last = verdict_of_task(task);
        const char *state = json_text(task, "state");

        source->verdict = last ? cJSON_Duplicate(last, true) : NULL;
        if (last && !source->verdict)
                return error_set(err, -ENOMEM, "take in the verdict");
        if (source->verdict)
                verdict_place(source->verdict, task);
        if (source->verdict && (!state || strcmp(state, "verified") != 0) &&
            !json_add_text(source->verdict, "task_state", state ? state : "unknown"))
                return error_set(err, -ENOMEM, "take in the verdict");
        return 0;
}

static int load_task(const char *id, Link *link, ApplySource *source, Error *err) {
        Answer task = ANSWER_EMPTY, patch = ANSWER_EMPTY;
        int r = ask_task(link, "task.show", id, &task, err);

        (void) snprintf(source->what, sizeof(source->what), "task %s", id);
        if (r == 0)
                r = take_task(source, task.result, err);
        if (r == 0)
                r = ask_task(link, "task.patch", id, &patch, err);
        if (r == 0 && patch.message.n_fds != 1)
                r = error_say(err, -EPROTO, "The supervisor passed no patch.");
        if (r == 0)
                r = take_patch(source, patch.message.fds[0], err);
        answer_deinit(&task);
        answer_deinit(&patch);
        return r;
}

static int load_file(const char *patch, const char *verdict, ApplySource *source, Error *err) {
        autoclose int fd = -EBADF;
        int r = user_file_spool(patch, PATCH_BYTES_MAX, &fd, err);

        if (r == 0)
                r = take_patch(source, fd, err);
        source->from_file = true;
        if (r == 0 && verdict)
                r = user_file_json(verdict, VERDICT_MAX, &source->verdict, err);
        return r;
}

static int load_dir(const char *dir, ApplySource *source, Error *err) {
        autofree char *patch = NULL, *verdict = NULL;

        if (access(dir, F_OK) < 0)
                return error_say(err, -ENOENT,
                                 "There is no directory %.200s, and it is no id of a task ('warder "
                                 "task list' lists them). A patch alone is applied with --patch.",
                                 dir);
        if (asprintf(&patch, "%s/patch.diff", dir) < 0 ||
            asprintf(&verdict, "%s/verdict.json", dir) < 0)
                return error_set(err, -ENOMEM, "name the files of %s", dir);
        source->is_dir = true;
        (void) snprintf(source->what, sizeof(source->what), "%.200s/patch.diff", dir);
        return load_file(patch, verdict, source, err);
}

/* ---- the receipt beside it ------------------------------------------------------------------------ */

static int compare_receipt(ApplySource *source, const cJSON *found, Error *err) {
        const char *patch = json_text(found, "patch"), *verdict = json_text(found, "verdict");
        const char *told = json_text(source->verdict, "verdict");

        if (!patch || strcmp(patch, source->digest) != 0)
                return error_say(
                        err, -EKEYREJECTED,
                        "The receipt beside %s is about another patch, %.20s…. Nothing was "
                        "changed.",
                        source->what, patch ? patch : "none");
        if (!verdict || !told || strcmp(verdict, told) != 0)
                return error_say(err, -EKEYREJECTED,
                                 "The receipt beside %s says '%.32s', its verdict.json '%.32s'. "
                                 "Nothing was changed.",
                                 source->what, verdict ? verdict : "nothing",
                                 told ? told : "nothing");
        source->is_signed = true;
        return 0;
}

static int check_receipt(const ApplyNames *names, ApplySource *source, Error *err) {
        autofree char *path = NULL;
        SCOPED(json_free) cJSON *found = NULL;
        ReceiptCheck check = { .keys = names->keys };
        int r;

        if (asprintf(&path, "%s/receipt.jsonl", names->word) < 0)
                return error_set(err, -ENOMEM, "name the receipt");
        check.file = path;
        if (names->keys.n == 0 && access(path, F_OK) < 0)
                return 0;
        r = receipt_look(&check, &found, err);
        if (r < 0)
                return r;
        if (json_true(found, "good"))
                return compare_receipt(source, found, err);
        if (names->keys.n == 0 && json_true(found, "unknown_key"))
                return 0;
        return error_say(err, -EKEYREJECTED,
                         "The receipt beside %s is not good: %.300s. Nothing was changed.",
                         source->what, json_text(found, "fault") ? json_text(found, "fault") : "?");
}

static int check_digest(const ApplySource *source, Error *err) {
        const char *judged = json_text(source->verdict, "patch");
        const char *form = json_text(source->verdict, "warder");
        const char *verdict = json_text(source->verdict, "verdict");
        const char *reason = json_text(source->verdict, "reason");

        if (!source->verdict)
                return 0;
        if (!form || strcmp(form, "verdict/1") != 0)
                return error_say(err, -EKEYREJECTED,
                                 "What came with %s is no verdict of a form that is known here "
                                 "(verdict/1).",
                                 source->what);
        if (verdict_is_about(source->verdict, source->digest))
                return 0;
        if (!judged)
                return error_say(err, -EKEYREJECTED,
                                 "%s was not judged; its verdict is '%.32s': %.300s. Nothing was "
                                 "changed.",
                                 source->what, verdict ? verdict : "none", reason ? reason : "?");
        return error_say(err, -EKEYREJECTED,
                         "%s is not the patch that was judged: it is %.20s…, the verdict speaks "
                         "of %.20s…. Nothing was changed.",
                         source->what, source->digest, judged);
}

int apply_source_load(const ApplyNames *names, Link *link, ApplySource *ret, Error *err) {
        ApplySource source = { 0 };
        int r;

        if (names->patch) {
                (void) snprintf(source.what, sizeof(source.what), "%.250s",
                                strcmp(names->patch, "-") == 0 ? "The patch" : names->patch);
                r = load_file(names->patch, names->verdict, &source, err);
        } else if (id_is_valid('t', names->word)) {
                r = load_task(names->word, link, &source, err);
        } else {
                r = load_dir(names->word, &source, err);
        }
        if (r == 0)
                r = check_digest(&source, err);
        if (r == 0 && source.is_dir)
                r = check_receipt(names, &source, err);
        if (r != 0)
                apply_source_deinit(&source);
        else
                *ret = source;
        return r;
}

int apply_source_check(const ApplySource *source, Error *err) {
        const char *verdict = json_text(source->verdict, "verdict");
        const char *state = json_text(source->verdict, "task_state");

        if (!source->verdict)
                return error_say(err, -EKEYREJECTED,
                                 "%s is not verified: no verdict came with it. Get one with "
                                 "'warder verify', or apply it all the same with --unverified.",
                                 source->what);
        if (!verdict || strcmp(verdict, "passed") != 0)
                return error_say(err, -EKEYREJECTED,
                                 "%s is not verified: its verdict is '%.32s'. --unverified applies "
                                 "it all the same.",
                                 source->what, verdict ? verdict : "none");
        if (state)
                return error_say(err, -EKEYREJECTED,
                                 "%s is not verified: the task is '%.32s'. --unverified applies "
                                 "its last patch all the same.",
                                 source->what, state);
        return 0;
}
