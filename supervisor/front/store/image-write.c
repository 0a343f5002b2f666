/*
 * image-write: see image-write.h.
 */
#include "supervisor/front/store/image-write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "supervisor/front/store/image-read.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define NAME_KEY      "org.opencontainers.image.ref.name"

const char *image_blob_path(const uint8_t *digest, char *path) {
        char text[DIGEST_TEXT_MAX];

        (void) snprintf(path, IMAGE_BLOB_PATH_MAX, "blobs/sha256/%s",
                        strchr(digest_format(digest, text), ':') + 1);
        return path;
}

static int put_text(Buf *buf, const char *path, const char *text) {
        int r = buf_printf(buf, "%s %zu\n", path, strlen(text));

        return r < 0 ? r : buf_append(buf, text, strlen(text));
}

typedef struct Blob { /* a text that others name */
        uint8_t digest[DIGEST_SIZE];
        size_t size;
} Blob;

/* @json is consumed */
static int put_blob(Buf *buf, cJSON *json, Blob *ret) {
        autofree char *text = json ? json_print(json) : NULL;
        char path[IMAGE_BLOB_PATH_MAX];

        json_free(json);
        if (!text)
                return -ENOMEM;
        ret->size = strlen(text);
        digest_of(text, ret->size, ret->digest);
        return put_text(buf, image_blob_path(ret->digest, path), text);
}

static cJSON *descriptor(const char *type, const uint8_t *digest, uint64_t size) {
        cJSON *json = cJSON_CreateObject();
        char text[DIGEST_TEXT_MAX];

        json_add_text(json, "mediaType", type);
        json_add_text(json, "digest", digest_format(digest, text));
        json_add_number(json, "size", size);
        return json;
}

/* ---- the configuration --------------------------------------------------------------------------- */

static void add_env(cJSON *run, const cJSON *env) {
        cJSON *list = env ? json_add_array(run, "Env") : NULL;
        const cJSON *item;

        cJSON_ArrayForEach(item, env) {
                autofree char *line = NULL;

                if (cJSON_IsString(item) &&
                    asprintf(&line, "%s=%s", item->string, item->valuestring) >= 0)
                        json_push_text(list, line);
        }
}

static cJSON *describe_run(const cJSON *config) {
        const cJSON *user = json_get(config, "user"), *words;
        const char *cwd = json_text(config, "cwd");
        cJSON *run = cJSON_CreateObject();
        uint64_t uid, gid;
        char text[48];

        if (json_number(user, "uid", &uid) == 0 && json_number(user, "gid", &gid) == 0) {
                (void) snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long) uid,
                                (unsigned long long) gid);
                json_add_text(run, "User", text);
        }
        if (cwd)
                json_add_text(run, "WorkingDir", cwd);
        add_env(run, json_get(config, "env"));
        if ((words = json_get(config, "entrypoint")))
                json_add_consume(run, "Entrypoint", cJSON_Duplicate(words, true));
        if ((words = json_get(config, "cmd")))
                json_add_consume(run, "Cmd", cJSON_Duplicate(words, true));
        return run;
}

static cJSON *describe_image(const SnapshotInfo *info, const cJSON *config,
                             const ImageLayerArchive *archives) {
        cJSON *json = cJSON_CreateObject(), *rootfs, *diffs;
        char text[DIGEST_TEXT_MAX], time[UNITS_TEXT_MAX];

        json_add_text(json, "created", units_format_time(info->created_usec, time));
        json_add_text(json, "architecture", image_arch());
        json_add_text(json, "os", "linux");
        json_add_consume(json, "config", describe_run(config));
        rootfs = json_add_object(json, "rootfs");
        json_add_text(rootfs, "type", "layers");
        diffs = json_add_array(rootfs, "diff_ids");
        for (unsigned i = info->n_layers; i > 0; i--)
                json_push_text(diffs, digest_format(archives[i - 1].digest, text));
        return json;
}

/* ---- what names it ------------------------------------------------------------------------------- */

static cJSON *describe_manifest(const SnapshotInfo *info, const ImageLayerArchive *archives,
                                const Blob *config) {
        cJSON *json = cJSON_CreateObject(), *layers;

        json_add_number(json, "schemaVersion", 2);
        json_add_text(json, "mediaType", MANIFEST_TYPE);
        json_add_consume(json, "config", descriptor(CONFIG_TYPE, config->digest, config->size));
        layers = json_add_array(json, "layers");
        for (unsigned i = info->n_layers; i > 0; i--)
                json_push_consume(layers, descriptor(LAYER_TYPE, archives[i - 1].digest,
                                                     archives[i - 1].size));
        return json;
}

static cJSON *describe_index(const SnapshotInfo *info, const Blob *manifest) {
        cJSON *json = cJSON_CreateObject(), *list, *entry, *platform;

        json_add_number(json, "schemaVersion", 2);
        list = json_add_array(json, "manifests");
        entry = descriptor(MANIFEST_TYPE, manifest->digest, manifest->size);
        platform = json_add_object(entry, "platform");
        json_add_text(platform, "architecture", image_arch());
        json_add_text(platform, "os", "linux");
        json_add_text(json_add_object(entry, "annotations"), NAME_KEY, info->name);
        json_push_consume(list, entry);
        return json;
}

int image_write_texts(const SnapshotInfo *info, const cJSON *config,
                      const ImageLayerArchive *archives, Buf *buf) {
        autofree char *index = NULL;
        Blob image, manifest;
        cJSON *json;
        int r = put_blob(buf, describe_image(info, config, archives), &image);

        if (r >= 0)
                r = put_blob(buf, describe_manifest(info, archives, &image), &manifest);
        if (r < 0)
                return r;
        json = describe_index(info, &manifest);
        index = json ? json_print(json) : NULL;
        json_free(json);
        r = index ? put_text(buf, "index.json", index) : -ENOMEM;
        return r < 0 ? r : put_text(buf, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}
