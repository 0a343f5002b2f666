/*
 * image: see image.h. Index, manifest and the manifest of `docker save`.
 */
#include "supervisor/front/store/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/front/store/image-read.h"

#define BLOBS     "blobs/sha256/"
#define REF_NAMES 2

#define DESCRIPTOR                                                                    \
        "{\"type\":\"object\",\"required\":[\"mediaType\",\"digest\",\"size\"],"      \
        "\"properties\":{\"mediaType\":{\"type\":\"string\",\"maxLength\":255},"      \
        "\"digest\":{\"type\":\"string\",\"maxLength\":255},"                         \
        "\"size\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}," \
        "\"urls\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}},"   \
        "\"annotations\":{\"type\":[\"object\",\"null\"]},"                           \
        "\"platform\":{\"type\":[\"object\",\"null\"],\"properties\":{"               \
        "\"architecture\":{\"type\":\"string\",\"maxLength\":64},"                    \
        "\"os\":{\"type\":\"string\",\"maxLength\":64}}}}}"

static const char index_schema[] =
        "{\"type\":\"object\",\"required\":[\"manifests\"],\"properties\":{"
        "\"schemaVersion\":{\"const\":2},\"mediaType\":{\"type\":\"string\"},"
        "\"manifests\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,"
        "\"items\":" DESCRIPTOR "}}}";

static const char manifest_schema[] =
        "{\"type\":\"object\",\"required\":[\"config\",\"layers\"],\"properties\":{"
        "\"schemaVersion\":{\"const\":2},\"mediaType\":{\"type\":\"string\"},"
        "\"config\":" DESCRIPTOR ","
        "\"layers\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,"
        "\"items\":" DESCRIPTOR "}}}";

static const char docker_schema[] =
        "{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,\"items\":{\"type\":\"object\","
        "\"required\":[\"Config\",\"Layers\"],\"properties\":{"
        "\"Config\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255},"
        "\"RepoTags\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}},"
        "\"Layers\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,"
        "\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}}}}}";

typedef enum MediaKind {
        MEDIA_OTHER = 0,
        MEDIA_INDEX,
        MEDIA_MANIFEST,
        MEDIA_CONFIG,
        MEDIA_LAYER,
} MediaKind;

static const struct {
        const char *type;
        MediaKind kind;
        const char *packing;
} media_types[] = {
        { "application/vnd.oci.image.index.v1+json", MEDIA_INDEX, NULL },
        { "application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST, NULL },
        { "application/vnd.oci.image.config.v1+json", MEDIA_CONFIG, NULL },
        { "application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER, "none" },
        { "application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER, "gzip" },
        { "application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER, "zstd" },
        { "application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX, NULL },
        { "application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST, NULL },
        { "application/vnd.docker.container.image.v1+json", MEDIA_CONFIG, NULL },
        { "application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER, "none" },
        { "application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER, "gzip" },
        { "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER, "zstd" },
};

static MediaKind media_kind(const char *type, const char **ret_packing) {
        for (unsigned i = 0; i < ELEMENTS(media_types); i++)
                if (strcmp(type, media_types[i].type) == 0) {
                        *ret_packing = media_types[i].packing;
                        return media_types[i].kind;
                }
        return MEDIA_OTHER;
}

int image_check_text(const ImageBlob *blob, const char *text, size_t n, Error *err) {
        char found[DIGEST_TEXT_MAX];
        uint8_t value[DIGEST_SIZE];

        if (blob->has_size && blob->size != n)
                return error_say(err, -EINVAL, "it has %zu bytes, not the %llu that are said", n,
                                 (unsigned long long) blob->size);
        digest_of(text, n, value);
        if (blob->has_digest && memcmp(value, blob->digest, sizeof value) != 0)
                return error_say(err, -EINVAL, "its digest is %s, not the one that is said",
                                 digest_format(value, found));
        return 0;
}

/* What a file is called by its digest; other algorithms than SHA-256 are not read. */
static int take_digest(const char *text, ImageBlob *ret, Error *err) {
        if (digest_parse(text, ret->digest) < 0)
                return error_say(err, -EINVAL, "\"%.80s\" is no SHA-256 digest", text);
        ret->has_digest = true;
        (void) snprintf(ret->path, sizeof ret->path, BLOBS "%s", text + strlen("sha256:"));
        return 0;
}

static int take_descriptor(const cJSON *json, MediaKind kind, ImageBlob *ret, Error *err) {
        const char *type = json_text(json, "mediaType");
        ImageBlob blob = { .has_size = true };

        if (cJSON_GetArraySize(json_get(json, "urls")) > 0)
                return error_say(
                        err, -EINVAL,
                        "a part of the image lies elsewhere (\"urls\"), not in it: what is "
                        "not here is not fetched");
        if (media_kind(type, &blob.packing) != kind)
                return error_say(err, -EINVAL, "\"%.120s\" is not read %s", type,
                                 kind == MEDIA_LAYER ? "as a layer" : "here");
        if (json_number(json, "size", &blob.size) < 0)
                return error_say(err, -EINVAL, "\"size\" is no number of bytes");
        if (kind != MEDIA_LAYER && blob.size > IMAGE_TEXT_MAX)
                return error_say(err, -EINVAL, "a text of an image has at most %u bytes",
                                 IMAGE_TEXT_MAX);
        if (take_digest(json_text(json, "digest"), &blob, err) < 0)
                return -EINVAL;
        *ret = blob;
        return 0;
}

/* ---- index ---------------------------------------------------------------------------------------- */

/* 2: said to be for this machine, 1: does not say, 0: for another */
static int fit(const cJSON *descriptor) {
        const cJSON *platform = json_get(descriptor, "platform");
        const char *os = json_text(platform, "os");
        const char *arch = json_text(platform, "architecture");

        if (!platform || cJSON_IsNull(platform))
                return 1;
        return os && arch && strcmp(os, "linux") == 0 && strcmp(arch, image_arch()) == 0 ? 2 : 0;
}

static const char *ref_name(const cJSON *descriptor, unsigned i) {
        static const char *const keys[REF_NAMES] = { "io.containerd.image.name",
                                                     "org.opencontainers.image.ref.name" };

        return json_text(json_get(descriptor, "annotations"), keys[i]);
}

static bool is_named(const cJSON *descriptor, const char *name) {
        for (unsigned i = 0; i < REF_NAMES; i++) {
                const char *ref = ref_name(descriptor, i);

                if (ref && strcmp(ref, name) == 0)
                        return true;
        }
        return strcmp(json_text(descriptor, "digest"), name) == 0;
}

static bool may_be_meant(const cJSON *descriptor, const char *name) {
        const char *packing = NULL;
        MediaKind kind = media_kind(json_text(descriptor, "mediaType"), &packing);

        return (kind == MEDIA_INDEX || kind == MEDIA_MANIFEST) && fit(descriptor) > 0 &&
               (!name || is_named(descriptor, name));
}

/* What it can be chosen by: a digest is there where no name is */
static const char *handle(const cJSON *descriptor) {
        const char *name = ref_name(descriptor, 0);

        if (!name)
                name = ref_name(descriptor, 1);
        return name ? name : json_text(descriptor, "digest");
}

static int several(const cJSON *list, Error *err) {
        char names[300] = "";
        const cJSON *item;
        size_t at = 0;

        cJSON_ArrayForEach(item, list) {
                const char *name = may_be_meant(item, NULL) ? handle(item) : NULL;

                if (name && at + strlen(name) + 3 < sizeof names)
                        at += (size_t) snprintf(names + at, sizeof names - at, "%s%s",
                                                at ? ", " : "", name);
        }
        return error_say(err, -EINVAL,
                         "there are several images in it: choose one with --image%s%s",
                         *names ? ": " : "", names);
}

static int none_fits(const cJSON *list, const char *name, Error *err) {
        const cJSON *platform = json_get(cJSON_GetArrayItem(list, 0), "platform");
        const char *arch = json_text(platform, "architecture");

        if (name)
                return error_say(err, -EINVAL, "no image in it is called \"%.100s\"", name);
        return error_say(err, -EINVAL,
                         "no image in it is for this machine, linux on %s (the first is for %.20s)",
                         image_arch(), arch ? arch : "something else");
}

/* The one that says it is for this machine goes before one that does not say. */
static int choose(const cJSON *list, const char *name, const cJSON **ret, Error *err) {
        const cJSON *item, *best = NULL;
        bool many = false;

        cJSON_ArrayForEach(item, list) {
                if (!may_be_meant(item, name) || (best && fit(item) < fit(best)))
                        continue;
                many = best && fit(item) == fit(best) &&
                       (many || strcmp(json_text(item, "digest"), json_text(best, "digest")) != 0);
                best = best && fit(item) == fit(best) ? best : item;
        }
        if (!best)
                return none_fits(list, name, err);
        if (many)
                return several(list, err);
        *ret = best;
        return 0;
}

int image_read_index(const char *text, size_t n, const char *name, ImageNext *ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const cJSON *chosen = NULL;
        const char *packing = NULL;
        MediaKind kind;
        int r = image_parse(text, n, index_schema, &json, err);

        if (r >= 0)
                r = choose(json_get(json, "manifests"), name, &chosen, err);
        if (r < 0)
                return r;
        kind = media_kind(json_text(chosen, "mediaType"), &packing);
        r = take_descriptor(chosen, kind, &ret->blob, err);
        ret->is_index = kind == MEDIA_INDEX;
        return r;
}

/* ---- manifests ------------------------------------------------------------------------------------ */

static int check_count(const cJSON *layers, Error *err) {
        int n = cJSON_GetArraySize(layers);

        if (n <= (int) IMAGE_LAYERS_MAX)
                return 0;
        return error_say(err, -EINVAL,
                         "the image has %d layers, a snapshot takes at most %u: flatten it (docker "
                         "export of a container of it, or a build with --squash)",
                         n, IMAGE_LAYERS_MAX);
}

int image_read_manifest(const char *text, size_t n, Image *ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const cJSON *item;
        Image image = { .n_layers = 0 };
        int r = image_parse(text, n, manifest_schema, &json, err);

        if (r >= 0)
                r = check_count(json_get(json, "layers"), err);
        if (r >= 0)
                r = take_descriptor(json_get(json, "config"), MEDIA_CONFIG, &image.config, err);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(item, json_get(json, "layers")) {
                r = take_descriptor(item, MEDIA_LAYER, &image.layers[image.n_layers++], err);
                if (r < 0)
                        return r;
        }
        *ret = image;
        return 0;
}

/* A path of docker save; where it is made of a digest, that is held against the file. */
static void take_path(const char *path, ImageBlob *ret) {
        const char *slash = strrchr(path, '/'), *leaf = slash ? slash + 1 : path;
        size_t n = strcspn(leaf, ".");
        char digest[DIGEST_TEXT_MAX];

        *ret = (ImageBlob){ .has_size = false };
        (void) snprintf(ret->path, sizeof ret->path, "%s", path);
        if (n != 64 || (strcmp(leaf + n, ".json") != 0 && strncmp(path, BLOBS, strlen(BLOBS)) != 0))
                return;
        (void) snprintf(digest, sizeof digest, "sha256:%.64s", leaf);
        ret->has_digest = digest_parse(digest, ret->digest) == 0;
}

static bool is_tagged(const cJSON *item, const char *name) {
        const cJSON *tag;

        cJSON_ArrayForEach(tag, json_get(item, "RepoTags")) if (strcmp(tag->valuestring, name) ==
                                                                0) return true;
        return false;
}

static int choose_docker(const cJSON *list, const char *name, const cJSON **ret, Error *err) {
        const cJSON *item;

        *ret = NULL;
        if (!name && cJSON_GetArraySize(list) > 1)
                return error_say(err, -EINVAL,
                                 "there are several images in it: choose one with --image, by its "
                                 "tag");
        cJSON_ArrayForEach(item, list) if (!*ret && (!name || is_tagged(item, name))) *ret = item;
        return *ret ? 0 : error_say(err, -EINVAL, "no image in it is called \"%.100s\"", name);
}

int image_read_docker(const char *text, size_t n, const char *name, Image *ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const cJSON *chosen = NULL, *path;
        Image image = { .n_layers = 0 };
        int r = image_parse(text, n, docker_schema, &json, err);

        if (r >= 0)
                r = choose_docker(json, name, &chosen, err);
        if (r >= 0)
                r = check_count(json_get(chosen, "Layers"), err);
        if (r < 0)
                return r;
        take_path(json_text(chosen, "Config"), &image.config);
        cJSON_ArrayForEach(path, json_get(chosen, "Layers"))
                take_path(path->valuestring, &image.layers[image.n_layers++]);
        *ret = image;
        return 0;
}
