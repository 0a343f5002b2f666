/*
 * patch-apply: see patch-apply.h. The views hold the base without the setup layer: the patch is one
 * against the repository, and what setup made is no part of that.
 */
#include "supervisor/front/gate/patch-apply.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/escape.h"
#include "base/rules.h"
#include "supervisor/front/gate/remarks.h"

#define ARGS_MAX      (16 + 2 * 4 * VERIFY_GLOBS_MAX + 1)
#define NUMBER_MAX    24
#define PATHS_MAX     500 /* in one list; the lists decide by not being empty */
#define PATH_TEXT_MAX 1024

struct PatchApply {
        FilesJob *job; /* owned */
        Touched touched;
        uint8_t patch[DIGEST_SIZE];
        uint8_t tree[DIGEST_SIZE];
        unsigned digests; /* BIT(DigestOf) that came */
        uint64_t n_paths;
        PatchList list;
        bool no_memory;
        PatchApplyStartedFn started;
        PatchApplyDoneFn done;
        void *userdata;
};

int patch_list_init(PatchList *list) {
        *list = (PatchList){ cJSON_CreateArray(), cJSON_CreateArray(), cJSON_CreateArray(), 0 };
        if (list->hunks && list->new_tests && list->changed_tests)
                return 0;
        patch_list_deinit(list);
        return -ENOMEM;
}

void patch_list_deinit(PatchList *list) {
        list->hunks = json_free(list->hunks);
        list->new_tests = json_free(list->new_tests);
        list->changed_tests = json_free(list->changed_tests);
}

int touched_init(Touched *touched) {
        touched->restored = cJSON_CreateArray();
        touched->dangerous = cJSON_CreateArray();
        touched->new_tests = cJSON_CreateArray();
        touched->remarks = cJSON_CreateArray();
        touched->remarked = 0;
        if (touched->restored && touched->dangerous && touched->new_tests && touched->remarks)
                return 0;
        touched_deinit(touched);
        return -ENOMEM;
}

void touched_deinit(Touched *touched) {
        touched->restored = json_free(touched->restored);
        touched->dangerous = json_free(touched->dangerous);
        touched->new_tests = json_free(touched->new_tests);
        touched->remarks = json_free(touched->remarks);
}

int touched_copy(Touched *to, const Touched *from) {
        to->restored = cJSON_Duplicate(from->restored, true);
        to->dangerous = cJSON_Duplicate(from->dangerous, true);
        to->new_tests = cJSON_Duplicate(from->new_tests, true);
        to->remarks = cJSON_Duplicate(from->remarks, true);
        to->remarked = from->remarked;
        return to->restored && to->dangerous && to->new_tests && to->remarks ? 0 : -ENOMEM;
}

static PatchApply *patch_apply_free(PatchApply *apply) {
        if (!apply)
                return NULL;
        touched_deinit(&apply->touched);
        patch_list_deinit(&apply->list);
        free(apply);
        return NULL;
}
DEFINE_SCOPED(PatchApply *, patch_apply_free);

static void add_path(PatchApply *apply, cJSON *list, const char *path) {
        autofree char *text = NULL;

        if (cJSON_GetArraySize(list) >= PATHS_MAX)
                return;
        text = escape_new(path, PATH_TEXT_MAX);
        if (!text || !json_push_text(list, text))
                apply->no_memory = true;
}

static void take_digest(PatchApply *apply, const Record *record) {
        uint8_t *to = record->head.flags == DIGEST_PATCH  ? apply->patch
                      : record->head.flags == DIGEST_TREE ? apply->tree
                                                          : NULL;

        if (!to || record->head.size != DIGEST_SIZE)
                return;
        memcpy(to, record->data, DIGEST_SIZE);
        apply->digests |= BIT(record->head.flags);
}

static void add_hunk(PatchApply *apply, const Record *record) {
        static const char *const kinds[_HUNK_KIND_MAX] = {
                [HUNK_TEXT] = "text",       [HUNK_ADDED] = "added", [HUNK_DELETED] = "deleted",
                [HUNK_RENAMED] = "renamed", [HUNK_MODE] = "mode",   [HUNK_BINARY] = "binary",
        };
        uint32_t kind = record->head.flags;
        autofree char *path = escape_new(record->data, PATH_TEXT_MAX);
        cJSON *hunk;

        if (kind < HUNK_TEXT || kind >= _HUNK_KIND_MAX ||
            cJSON_GetArraySize(apply->list.hunks) >= VERIFY_HUNKS_MAX)
                return;
        hunk = json_push_consume(apply->list.hunks, cJSON_CreateObject());
        json_add_text(hunk, "file", path);
        json_add_number(hunk, "line", record->head.b >> 32);
        json_add_number(hunk, "lines", record->head.b & UINT32_MAX);
        if (!path || !json_add_text(hunk, "kind", kinds[kind]))
                apply->no_memory = true;
}

static void on_record(const Record *record, void *userdata) {
        PatchApply *apply = userdata;

        switch (record->head.kind) {
        case RECORD_PATH:
                apply->n_paths++;
                break;
        case RECORD_RESTORED:
                add_path(apply, apply->touched.restored, record->data);
                break;
        case RECORD_DANGEROUS:
                add_path(apply, apply->touched.dangerous, record->data);
                break;
        case RECORD_NEW_TEST:
                add_path(apply, apply->touched.new_tests, record->data);
                break;
        case RECORD_TEST_FILE:
                add_path(apply,
                         record->head.flags == PATH_ADDED ? apply->list.new_tests
                                                          : apply->list.changed_tests,
                         record->data);
                break;
        case RECORD_HUNK:
                add_hunk(apply, record);
                break;
        case RECORD_REMARK:
                if (remarks_take(&apply->touched, record) < 0)
                        apply->no_memory = true;
                break;
        case RECORD_TOTALS:
                apply->list.n_hunks = record->head.a;
                break;
        case RECORD_DIGEST:
                take_digest(apply, record);
                break;
        default:
                break;
        }
}

/* A job that is done but did not say all: nothing may be believed that rests on it */
static int check_whole(const PatchApply *apply, const FilesJobEnd *job, Error *err) {
        if (apply->no_memory)
                return error_set(err, -ENOMEM, "take in what the patch touches");
        if (apply->digests != (BIT(DIGEST_PATCH) | BIT(DIGEST_TREE)) || !job->upper_handle)
                return error_say(err, -EPROTO,
                                 "warder-files applied the patch but did not say all about it");
        return 0;
}

/* What no honest patch does; other rules are broken by one that is damaged, or made for another base */
static bool is_attack(uint32_t rule) {
        static const uint32_t attacks[] = {
                RULE_NAME_ABSOLUTE, RULE_NAME_DOTDOT,  RULE_NAME_GIT, RULE_THROUGH_LINK,
                RULE_LINK_OUT,      RULE_SPECIAL_FILE, RULE_SET_ID,   RULE_PATCH_MODE,
        };

        for (size_t i = 0; i < ELEMENTS(attacks); i++)
                if (rule == attacks[i])
                        return true;
        return false;
}

static void on_done(const FilesJobEnd *job, void *userdata) {
        SCOPED(patch_apply_free) PatchApply *apply = userdata;
        PatchApplyEnd end = { .err = job->err,
                              .refused = job->refused,
                              .attacks = job->refused && is_attack(job->rule),
                              .upper = job->upper_handle,
                              .touched = &apply->touched,
                              .patch = apply->patch,
                              .tree = apply->tree,
                              .n_paths = apply->n_paths,
                              .list = &apply->list };
        Error err = ERROR_EMPTY;

        if (!end.err && check_whole(apply, job, &err) < 0)
                end.err = &err;
        apply->done(&end, apply->userdata);
}

static void on_started(void *userdata) {
        PatchApply *apply = userdata;

        apply->started(apply->userdata);
}

typedef struct Words { /* of warder-files, with room for its numbers */
        const char *argv[ARGS_MAX];
        unsigned n, n_numbers;
        char numbers[3][NUMBER_MAX];
} Words;

static void add_globs(Words *words, const char *option, const char *const *globs, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                words->argv[words->n++] = option;
                words->argv[words->n++] = globs[i];
        }
}

static void add_number(Words *words, const char *option, uint64_t value) {
        char *text = words->numbers[words->n_numbers++];

        (void) snprintf(text, NUMBER_MAX, "%llu", (unsigned long long) value);
        words->argv[words->n++] = option;
        words->argv[words->n++] = text;
}

static void add_part(Words *words, const PatchApplySpec *spec) {
        static const char *const parts[] = {
                [PATCH_PART_TESTS] = "tests", [PATCH_PART_OLD_TESTS] = "old-tests"
        };

        if (spec->part == PATCH_PART_WITHOUT) {
                add_number(words, "--without", spec->without);
        } else if (spec->part != PATCH_PART_WHOLE) {
                words->argv[words->n++] = "--part";
                words->argv[words->n++] = parts[spec->part];
        }
        if (spec->list > 0)
                add_number(words, "--list-hunks", spec->list);
        if (spec->patch_at != PATCH_AT_HERE)
                add_number(words, "--at", spec->patch_at);
}

static void fill_words(Words *words, const PatchApplySpec *spec) {
        words->n = words->n_numbers = 0;
        words->argv[words->n++] = "apply";
        words->argv[words->n++] = "work";
        if (spec->setup)
                words->argv[words->n++] = "--setup";
        if (spec->shield->is_there)
                words->argv[words->n++] = "--shielded";
        add_globs(words, "--protect", spec->spec->protect, spec->spec->n_protect);
        add_globs(words, "--allow", spec->spec->allow, spec->spec->n_allow);
        if (spec->part != PATCH_PART_WHOLE || spec->list > 0)
                add_globs(words, "--rules", spec->spec->rules, spec->spec->n_rules);
        if (spec->remark) {
                words->argv[words->n++] = "--remark";
                add_globs(words, "--scope", spec->spec->scope, spec->spec->n_scope);
        }
        add_part(words, spec);
        words->argv[words->n] = NULL;
}

static int fill_plan(Front *front, Plan *plan, const PatchApplySpec *spec, Error *err) {
        GateView old = { .target = VIEW_OLD, .layers = spec->layers };
        GateLayers layers = *spec->layers, shielded = { .n = 0 };
        GateView tree = { .target = VIEW_TREE, .flags = VIEW_WRITABLE, .layers = &layers };
        GateView setup = { .target = VIEW_NEW, .layers = spec->setup };
        int r;

        if (spec->shield->has_layer) {
                gate_layers_add(&shielded, spec->shield->layer);
                for (unsigned i = 0; i < layers.n; i++)
                        gate_layers_add(&shielded, layers.digests[i]);
                layers = shielded;
        }
        r = gate_files_plan(front, plan, err);
        if (r == 0)
                r = gate_view(plan, &old, err);
        if (r == 0)
                r = gate_view(plan, &tree, err);
        return r < 0 || !spec->setup ? r : gate_view(plan, &setup, err);
}

int patch_apply_start(Front *front, const PatchApplySpec *spec, PatchApply **ret, Error *err) {
        SCOPED(patch_apply_free) PatchApply *apply = calloc(1, sizeof(*apply));
        Words words;
        FilesJobSpec job = { .argv = words.argv,
                             .started = spec->started ? on_started : NULL,
                             .keep_upper = true,
                             .input_fd = spec->patch_fd,
                             .output_fd = spec->shield->listing,
                             .owner_uid = spec->owner_uid };
        int r;

        if (!apply || touched_init(&apply->touched) < 0 || patch_list_init(&apply->list) < 0)
                return error_set(err, -ENOMEM, "apply a patch");
        apply->started = spec->started;
        apply->done = spec->done;
        apply->userdata = spec->userdata;
        fill_words(&words, spec);
        r = fill_plan(front, &job.plan, spec, err);
        if (r == 0)
                r = files_job_start(front, &job, on_record, on_done, apply, &apply->job, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(apply);
        return 0;
}

PatchApply *patch_apply_cancel(PatchApply *apply) {
        if (!apply)
                return NULL;
        files_job_cancel(apply->job);
        return patch_apply_free(apply);
}
