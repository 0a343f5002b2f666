/*
 * snapshot-import: see snapshot-import.h.
 *
 *   quota -> the archive is unpacked (layer-import.c) -> it was a tree: that is the snapshot
 *                                                     -> it is an image: image-import.c -> its layers are
 *
 * Of several at once of the same file one leads and is unpacked; the others of the same user, with the same limits, follow:
 * they read nothing, have nothing reserved, and name what comes of it where the file is still the same then (same-file.h).
 * Where it is not, or nothing comes of it for a reason that is not the file's, each begins again, and may find another to
 * follow.
 */
#include "supervisor/front/store/snapshot-import.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/links.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/image-import.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/store/same-file.h"
#include "supervisor/front/store/snapshot-show.h"
#include "supervisor/front/store/snapshots.h"

#define IMPORT_BYTES_MAX   (64ull << 30)
#define IMPORT_ENTRIES_MAX 4000000ull
#define FOLLOWERS_MAX      64 /* of one import; more are unpacked by themselves */

typedef struct Importing Importing;

struct Importing {
        Importing *next, **at; /* in the list of those that lead, or of those that follow one */
        Importing *followers;  /* list */
        unsigned n_followers;
        SameFile file;
        int fd; /* owned */
        Front *front;
        Call *call; /* answered by us */
        char name[72];
        char image[IMAGE_NAME_MAX]; /* "": none was named */
        uint32_t owner_uid;
        bool is_public, is_charged;
        uint64_t max_bytes, max_entries;
        uint64_t reserved; /* bytes on disk, in the owner's account, until the end */
};

static Importing *importing_free(Importing *importing) {
        if (!importing)
                return NULL;
        LINK_OUT(importing, next, at);
        fds_close(&importing->fd, 1);
        free(importing);
        return NULL;
}
DEFINE_SCOPED(Importing *, importing_free);

static void tell_progress(const Importing *importing, uint64_t bytes, uint64_t entries) {
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "bytes", bytes);
        json_add_number(params, "entries", entries);
        call_notify(importing->call, "snapshot.progress", params);
}

static void on_progress(uint64_t bytes, uint64_t entries, void *userdata) {
        const Importing *importing = userdata;

        tell_progress(importing, bytes, entries);
        for (const Importing *at = importing->followers; at; at = at->next)
                tell_progress(at, bytes, entries);
}

static cJSON *describe(const SnapshotInfo *info, const cJSON *cleaned, uint64_t cleaned_total) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "name", info->name);
        snapshot_add_layers(json, info);
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_consume(json, "cleaned", cJSON_Duplicate(cleaned, true));
        json_add_number(json, "cleaned_total", cleaned_total);
        return json;
}

/* Names what there is. @joined: it was unpacked for another import */
static void name_it(Importing *importing, const ImageResult *result, bool joined) {
        SCOPED(importing_free) Importing *owned = importing;
        SnapshotInfo info = result->info;
        Error err = ERROR_EMPTY;
        cJSON *json;

        info.owner_uid = owned->owner_uid;
        info.is_public = owned->is_public;
        info.created_usec = units_now();
        (void) snprintf(info.name, sizeof info.name, "%s", owned->name);
        if (snapshots_add(owned->front, &info, result->config, &err) < 0) {
                quota_refuse(owned->front, owned->call, &err);
                call_fail(owned->call, NULL, &err);
                return;
        }
        json = describe(&info, result->cleaned, result->cleaned_total);
        json_add_bool(json, "joined", joined);
        if (result->config)
                json_add_consume(json, "image", cJSON_Duplicate(result->config, true));
        log_event(LOG_INFO, "snapshot imported", F("SNAPSHOT", info.name));
        call_answer(owned->call, json, NULL, 0);
}

/* @refused: for what is in it, or for a limit */
static void refuse(Importing *importing, const Error *err, bool refused) {
        SCOPED(importing_free) Importing *owned = importing;
        const char *code = refused                                        ? "invalid"
                           : err->code == -ENOSPC                         ? "limit"
                           : err->code == -EUCLEAN || err->code == -EBUSY ? NULL
                                                                          : "internal";

        call_fail(owned->call, code, err);
}

static int begin(Importing *importing, Error *err);

/* What it followed did not do for it. The offset may be shared with what was read */
static void begin_again(Importing *importing) {
        SCOPED(importing_free) Importing *owned = importing;
        Error err = ERROR_EMPTY;

        (void) lseek(owned->fd, owned->file.at, SEEK_SET);
        if (begin(owned, &err) >= 0) {
                (void) TAKE_PTR(owned);
                return;
        }
        quota_refuse(owned->front, owned->call, &err);
        call_fail(owned->call, NULL, &err);
}

/*
 * Each leaves the list before it goes on: where it begins again it may lead, and be followed by the next.
 * @result: what there is to name; or @refused: why there will be nothing; both NULL: nobody knows
 */
static void end_followers(Importing *leader, const ImageResult *result, const Error *refused) {
        Importing *list = NULL, *importing;

        while ((importing = leader->followers)) { /* the list is newest first */
                LINK_OUT(importing, next, at);
                LINK_IN(list, importing, next, at);
        }
        while ((importing = list)) {
                SameFile now;

                LINK_OUT(importing, next, at);
                same_file_look(importing->fd, &now);
                now.at = leader->file.at; /* the leader's own, where they share it, has moved on */
                if (!same_file_is(&now, &leader->file) || (!result && !refused))
                        begin_again(importing);
                else if (result)
                        name_it(importing, result, true);
                else
                        refuse(importing, refused, true);
        }
}

/* The last step: @result is all there is to name, @err why there is nothing. */
static void conclude(Importing *importing, const ImageResult *result, const Error *err,
                     bool refused) {
        /* with more room the same file may do: those that follow it are not refused for a limit that it met */
        bool is_final = err && refused && err->code != -ENOSPC;

        LINK_OUT(importing, next, at);
        quota_release_import(importing->front, importing->owner_uid, importing->reserved);
        end_followers(importing, err ? NULL : result, is_final ? err : NULL);
        if (err)
                refuse(importing, err, refused);
        else
                name_it(importing, result, false);
}

static void on_image(const ImageResult *result, const Error *err, bool refused, void *userdata) {
        conclude(userdata, result, err, refused);
}

static void take_image(Importing *importing, const LayerImport *import) {
        const ImageImportSpec spec = { .image = import,
                                       .name = *importing->image ? importing->image : NULL,
                                       .max_bytes = importing->max_bytes,
                                       .max_entries = importing->max_entries,
                                       .max_disk = importing->reserved,
                                       .owner_uid = importing->owner_uid,
                                       .progress = on_progress };
        Error err = ERROR_EMPTY;

        if (image_import(importing->front, &spec, on_image, importing, &err) < 0)
                conclude(importing, NULL, &err, false);
}

static void on_imported(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        Importing *importing = userdata;
        ImageResult result = {
                .cleaned = import->cleaned,
                .cleaned_total = import->cleaned_total,
                .info = { .n_layers = 1, .bytes = import->bytes, .entries = import->entries }
        };
        Error own = ERROR_EMPTY;

        if (!err && import->image) {
                take_image(importing, import);
                return;
        }
        memcpy(result.info.layers[0], import->digest, sizeof result.info.layers[0]);
        if (!err && *importing->image) {
                error_say(&own, -EINVAL, "this is a tree, not an image of which one can be chosen");
                err = &own;
                refused = true;
        }
        conclude(importing, &result, err, refused);
}

/* ---- its beginning -------------------------------------------------------------------------------- */

/* Like @importing in all that what comes of it depends on */
static Importing *find_leader(const Importing *importing) {
        Importing *leader = importing->front->importing;

        while (leader && !(leader->file.shows_changes && leader->n_followers < FOLLOWERS_MAX &&
                           leader->owner_uid == importing->owner_uid &&
                           leader->max_bytes == importing->max_bytes &&
                           leader->max_entries == importing->max_entries &&
                           strcmp(leader->image, importing->image) == 0 &&
                           same_file_is(&leader->file, &importing->file)))
                leader = leader->next;
        return leader;
}

static bool is_pipe(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

/* What it may take on disk is reserved until it ends, in conclude(), or here where it does not begin. */
static int lead(Importing *importing, uint64_t left, Error *err) {
        Front *front = importing->front;
        LayerImportSpec spec = { .input_fd = importing->fd,
                                 .takes_image = true,
                                 .max_bytes = importing->max_bytes,
                                 .max_entries = importing->max_entries,
                                 .owner_uid = importing->owner_uid,
                                 .progress = on_progress };
        int r;

        if (is_pipe(importing->fd)) /* what comes next is the client's to send, or not */
                spec.call = importing->call;
        spec.max_disk = spec.max_bytes + LAYER_ENTRY_BYTES * spec.max_entries;
        if (spec.max_disk > left)
                spec.max_disk = left;
        r = quota_reserve_import(front, importing->owner_uid, spec.max_disk, err);
        if (r < 0)
                return r;
        importing->reserved = spec.max_disk;
        LINK_IN(front->importing, importing, next, at);
        r = layer_import(front, &spec, on_imported, importing, err);
        if (r < 0) {
                LINK_OUT(importing, next, at);
                quota_release_import(front, importing->owner_uid, spec.max_disk);
        }
        return r;
}

/* @takes_disk: it may fill up what its owner has left, which goes to @ret_left */
static int check_name(const Importing *importing, bool takes_disk, uint64_t *ret_left, Error *err) {
        int r = snapshots_check_new(importing->front, importing->name, importing->owner_uid,
                                    takes_disk, ret_left, err);

        if (r < 0)
                call_refuse(importing->call,
                            r == -EEXIST   ? "exists"
                            : r == -EDQUOT ? "quota"
                                           : "invalid",
                            "/name", NULL);
        return r;
}

/* Who follows takes nothing more on disk. Returns: 0: it is in a list, and answered later */
static int begin(Importing *importing, Error *err) {
        uint64_t left = UINT64_MAX;
        Importing *leader;
        int r;

        same_file_look(importing->fd, &importing->file);
        leader = find_leader(importing);
        r = check_name(importing, !leader, &left, err);
        if (r < 0)
                return r;
        r = importing->is_charged
                    ? 0
                    : quota_charge_create(importing->front, importing->owner_uid, err);
        if (r < 0)
                return r;
        importing->is_charged = true;
        if (!leader)
                return lead(importing, left, err);
        leader->n_followers++;
        LINK_IN(leader->followers, importing, next, at);
        log_event(LOG_INFO, "an import waits for another of the same file",
                  F("SNAPSHOT", importing->name));
        return 0;
}

static void take_params(Importing *importing, const cJSON *params) {
        const cJSON *limits = json_get(params, "limits");
        const char *image = json_text(params, "image");
        uint64_t value;

        if (json_number(limits, "bytes", &value) == 0 && value < importing->max_bytes)
                importing->max_bytes = value;
        if (json_number(limits, "entries", &value) == 0 && value < importing->max_entries)
                importing->max_entries = value;
        if (json_get(params, "public"))
                importing->is_public = cJSON_IsTrue(json_get(params, "public"));
        (void) snprintf(importing->name, sizeof importing->name, "%s", json_text(params, "name"));
        (void) snprintf(importing->image, sizeof importing->image, "%s", image ? image : "");
}

static int run_import(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SCOPED(importing_free) Importing *importing = calloc(1, sizeof *importing);
        uint32_t uid = call_peer(call)->uid;
        uint64_t left;
        int r;

        (void) ret_result;
        if (!importing)
                return error_set(err, -ENOMEM, "import a snapshot");
        *importing = (Importing){ .front = front,
                                  .call = call,
                                  .fd = -EBADF,
                                  .owner_uid = uid,
                                  .is_public = uid == 0,
                                  .max_bytes = IMPORT_BYTES_MAX,
                                  .max_entries = IMPORT_ENTRIES_MAX };
        take_params(importing, params);
        r = check_name(importing, false, &left, err); /* it is told of before the descriptor is */
        if (r < 0)
                return r;
        r = client_fd_check(&front->pipes, call_fd(call, 0), CLIENT_FD_INPUT, err);
        if (r < 0)
                return r;
        importing->fd = call_take_fd(call, 0);
        r = begin(importing, err);
        if (r >= 0)
                (void) TAKE_PTR(importing);
        return r;
}

const MethodRow snapshot_import_row = { "snapshot.import", run_import };
