/*
 * layer-import: see layer-import.h.
 *
 *   LAYER_NEW -> files job (unpack or save, it flushes what it wrote) -> LAYER_COMMIT -> done
 *
 * Where a container image may come (takes_image), what was unpacked is then no layer but that image, and stays
 * as it is, unfinished, for image-import.c. A layer of an image is unpacked from there, over those below it.
 *
 * A layer appears in the store complete or not at all: what fails before the commit is dropped. The digest
 * is what warder-files computed of the entries as they landed.
 */
#include "supervisor/front/store/layer-import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/rules.h"
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/store/layer-make.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"

typedef struct Import {
        Front *front;    /* borrowed, outlives us */
        LayerMake make;  /* owned */
        uint64_t handle; /* of the new layer, 0: none yet */
        char holder[40]; /* of the layer from before its commit until @done; "": not yet */
        bool has_digest;
        bool makes_good; /* a damaged layer of that name was taken away for it */
        bool refused;
        LayerImport result;
        LayerImportFn done;
        void *userdata;
} Import;

static Import *import_free(Import *import) {
        if (!import)
                return NULL;
        layer_make_deinit(&import->make);
        json_free(import->result.cleaned);
        import->front->imports--;
        layers_sweep(import->front);
        front_touch(import->front);
        free(import);
        return NULL;
}
DEFINE_SCOPED(Import *, import_free);

/* Whoever came to hold the layer does now. */
static void let_go(Import *import) {
        Error err = ERROR_EMPTY;

        if (*import->holder &&
            layer_release(import->front, import->result.digest, import->holder, &err) < 0)
                log_event(LOG_WARNING, "a layer of an import stays held", F_ERR(&err));
}

/* The end of every import, good or bad. */
static void conclude(Import *import, const Error *err) {
        SCOPED(import_free) Import *owned = import;
        Error dropped = ERROR_EMPTY;

        if (err && import->handle &&
            monitor_layer(import->front->monitor, REQUEST_LAYER_DROP, import->handle, NULL, NULL,
                          NULL, &dropped) < 0)
                log_event(LOG_WARNING, "an unfinished layer stays in the store", F_ERR(&dropped));
        import->done(&import->result, err, import->refused, import->userdata);
        let_go(import);
        (void) owned;
}

static void fail_reply(Import *import, const MonitorReply *reply, const char *what) {
        Error err = ERROR_EMPTY;

        (void) error_add(&err, monitor_refusal(reply, &err), "%s", what);
        conclude(import, &err);
}

/* A commit leaves what is there of that name, as good: a damaged one too, unless it was taken away for this one */
static int judge(Import *import, Error *err) {
        Error own = ERROR_EMPTY;

        if (!layer_is_damaged(import->front, import->result.digest))
                return 0;
        if (!import->makes_good)
                return error_say(err, -EUCLEAN,
                                 "the layer of this content was found damaged in the meantime: "
                                 "import it again, and it is put right");
        if (layer_record_judge(import->front, import->result.digest, NULL, &own) < 0)
                log_event(LOG_WARNING, "a layer that was put right counts as damaged", F_ERR(&own));
        return 0;
}

static void on_committed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0 && reply->code != -EEXIST) {
                fail_reply(import, reply, "commit the layer");
                return;
        }
        import->handle = 0;
        conclude(import, judge(import, &err) < 0 ? &err : NULL);
}

static int commit(Import *import, Error *err) {
        return monitor_layer(import->front->monitor, REQUEST_LAYER_COMMIT, import->handle,
                             import->result.digest, on_committed, import, err);
}

static void on_damaged_gone(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0 && reply->code != -ENOENT) {
                fail_reply(import, reply, "take the damaged layer of this content away");
                return;
        }
        import->makes_good = true;
        if (commit(import, &err) < 0)
                conclude(import, &err);
}

/* A layer of the same name wins, but not one that was found damaged: it makes room for this one. */
static int start_commit(Import *import, Error *err) {
        return layer_is_damaged(import->front, import->result.digest)
                       ? monitor_layer(import->front->monitor, REQUEST_LAYER_REMOVE, 0,
                                       import->result.digest, on_damaged_gone, import, err)
                       : commit(import, err);
}

/* From now on no sweep takes it, also where the store has it already; a front that dies leaves it to the next. */
static int hold(Import *import, Error *err) {
        const LayerImport *result = &import->result;
        int r;

        (void) snprintf(import->holder, sizeof import->holder, "import:%" PRIu64,
                        import->front->next_id++);
        r = layer_hold(import->front, result->digest, import->holder, err);
        return r < 0 ? r
                     : layer_record_add(import->front, result->digest, result->bytes,
                                        result->entries, err);
}

static void on_files_done(const FilesJobEnd *end, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        import->refused = end->refused;
        if (end->err) {
                err = *end->err;
        } else if (import->result.image && import->make.spec.takes_image) {
                import->result.handle = import->handle;
                import->handle = 0;
                conclude(import, NULL);
                return;
        } else if (import->make.spec.takes_image &&
                   import->result.entries <= 1 && /* the root is one */
                   import->result.cleaned_total == 0) {
                import->refused = true;
                error_say(&err, -EINVAL, "the archive has no entries: there is nothing to import");
        } else if (!import->has_digest) {
                error_say(&err, -EPROTO, "warder-files did not name the layer's digest");
        } else if (hold(import, &err) >= 0) {
                (void) start_commit(import, &err);
        }
        if (err.code)
                conclude(import, &err);
}

/* "path", NUL, "sentence", and the running number; the last of very many says only how many there were */
static void add_cleaned(LayerImport *result, const Record *record) {
        const char *path = record->data;
        size_t n = strlen(path) + 1;
        cJSON *entry;

        result->cleaned_total = record->head.a;
        if (record->head.flags == RULE_NONE || cJSON_GetArraySize(result->cleaned) >= CLEANED_MAX)
                return;
        entry = cJSON_CreateObject();
        json_add_text(entry, "path", path);
        json_add_text(entry, "rule", record_rule_name(record->head.flags));
        json_add_text(entry, "text", n <= record->head.size ? path + n : "");
        json_push_consume(result->cleaned, entry);
}

void layer_cleaned_push(cJSON *cleaned, const cJSON *more) {
        const cJSON *item;

        cJSON_ArrayForEach(item, more) if (cJSON_GetArraySize(cleaned) < CLEANED_MAX)
                json_push_consume(cleaned, cJSON_Duplicate(item, true));
}

static void on_record(const Record *record, void *userdata) {
        Import *import = userdata;

        switch (record->head.kind) {
        case RECORD_PROGRESS:
                if (import->make.spec.progress)
                        import->make.spec.progress(record->head.a, record->head.b,
                                                   import->userdata);
                break;
        case RECORD_NOTE:
                add_cleaned(&import->result, record);
                break;
        case RECORD_DIGEST:
                if (record->head.flags != DIGEST_LAYER || record->head.size != 32)
                        break;
                memcpy(import->result.digest, record->data, 32);
                import->has_digest = true;
                break;
        case RECORD_IMAGE:
                import->result.image = record->head.flags;
                import->result.bytes = record->head.a;
                import->result.entries = record->head.b;
                break;
        case RECORD_GROWN:
                import->result.read = record->head.a;
                import->result.grown = record->head.b;
                break;
        case RECORD_TOTALS:
                import->result.bytes = record->head.a;
                import->result.entries = record->head.b;
                break;
        default:
                break;
        }
}

static void on_layer_new(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        const LayerMaking files = { reply->handle, on_record, on_files_done, import };
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0) {
                fail_reply(import, reply, "make a layer");
                return;
        }
        import->handle = reply->handle;
        if (layer_make_start(&import->make, import->front, &files, &err) < 0)
                conclude(import, &err);
}

static int import_new(Front *front, const LayerImportSpec *spec, Import **ret, Error *err) {
        SCOPED(import_free) Import *import = NULL;
        Import *fresh = calloc(1, sizeof *fresh);
        int r;

        if (!fresh)
                return error_set(err, -ENOMEM, "import a layer");
        *fresh = (Import){ .front = front, .make = LAYER_MAKE_EMPTY };
        front->imports++;
        import = fresh;
        import->result.cleaned = cJSON_CreateArray();
        if (!import->result.cleaned)
                return error_set(err, -ENOMEM, "import a layer");
        r = layer_make_init(&import->make, spec, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(import);
        return 0;
}

int layer_import(Front *front, const LayerImportSpec *spec, LayerImportFn done, void *userdata,
                 Error *err) {
        SCOPED(import_free) Import *import = NULL;
        int r;

        r = import_new(front, spec, &import, err);
        if (r < 0)
                return r;
        import->done = done;
        import->userdata = userdata;
        r = monitor_layer(front->monitor, REQUEST_LAYER_NEW, 0, NULL, on_layer_new, import, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(import);
        return 0;
}
