/* image-config: see image-config.h. */
#include "supervisor/front/store/image-config.h"
#include <errno.h>
#include <string.h>

#include "supervisor/front/store/image-read.h"

#define WORDS "{\"type\":[\"array\",\"null\"],\"maxItems\":1024,\"items\":{\"type\":\"string\"}}"

static const char config_schema[] =
        "{\"type\":\"object\",\"required\":[\"architecture\",\"os\",\"rootfs\"],\"properties\":{"
        "\"architecture\":{\"type\":\"string\",\"maxLength\":64},"
        "\"os\":{\"type\":\"string\",\"maxLength\":64},"
        "\"rootfs\":{\"type\":\"object\",\"required\":[\"type\",\"diff_ids\"],\"properties\":{"
        "\"type\":{\"const\":\"layers\"},\"diff_ids\":{\"type\":\"array\",\"maxItems\":1000,"
        "\"items\":{\"type\":\"string\",\"maxLength\":255}}}},"
        "\"config\":{\"type\":[\"object\",\"null\"],\"properties\":{"
        "\"User\":{\"type\":[\"string\",\"null\"],\"maxLength\":128},"
        "\"WorkingDir\":{\"type\":[\"string\",\"null\"],\"maxLength\":4095},"
        "\"Env\":{\"type\":[\"array\",\"null\"],\"maxItems\":512,\"items\":{\"type\":\"string\"}},"
        "\"Entrypoint\":" WORDS ",\"Cmd\":" WORDS "}}}}";

static int check_machine(const cJSON *json, Error *err) {
        const char *os = json_text(json, "os"), *arch = json_text(json, "architecture");

        if (strcmp(os, "linux") == 0 && strcmp(arch, image_arch()) == 0)
                return 0;
        return error_say(err, -EINVAL,
                         "the image is for %.20s on %.20s, this machine is linux on %s", os, arch,
                         image_arch());
}

/* A layer that comes twice is read where it came first: the files of old `docker save` link the other. */
static void share_blobs(Image *image) {
        for (unsigned i = 1; i < image->n_layers; i++)
                for (unsigned j = 0; j < i; j++)
                        if (memcmp(image->diffs[i], image->diffs[j], DIGEST_SIZE) == 0 &&
                            !image->layers[i].has_digest) {
                                image->layers[i] = image->layers[j];
                                break;
                        }
}

static int take_diffs(const cJSON *json, Image *image, Error *err) {
        const cJSON *list = json_get(json_get(json, "rootfs"), "diff_ids"), *item;
        unsigned n = 0;

        if (cJSON_GetArraySize(list) != (int) image->n_layers)
                return error_say(err, -EINVAL,
                                 "the configuration speaks of %d layers, the manifest of %u",
                                 cJSON_GetArraySize(list), image->n_layers);
        cJSON_ArrayForEach(item, list) if (digest_parse(item->valuestring, image->diffs[n++]) <
                                           0) return error_say(err, -EINVAL,
                                                               "\"%.80s\" is no SHA-256 digest",
                                                               item->valuestring);
        share_blobs(image);
        return 0;
}

/* No control byte but a tab or the end of a line, which scripts in a command have. */
static bool is_text(const char *text) {
        for (; *text; text++)
                if (((unsigned char) *text < 0x20 && *text != '\t' && *text != '\n') ||
                    *text == 0x7f)
                        return false;
        return true;
}

static int bad_text(const char *what, Error *err) {
        return error_say(err, -EINVAL, "%s has a control byte", what);
}

static int take_env(const cJSON *list, cJSON *config, Error *err) {
        cJSON *env = cJSON_GetArraySize(list) > 0 ? json_add_object(config, "env") : NULL;
        const cJSON *item;

        cJSON_ArrayForEach(item, list) {
                char *equals = strchr(item->valuestring, '=');
                char name[256];
                size_t n = equals ? (size_t) (equals - item->valuestring) : 0;

                if (!equals || n == 0)
                        continue; /* no variable: others pass it over too */
                if (n >= sizeof name)
                        return error_say(err, -EINVAL, "a variable's name is too long");
                memcpy(name, item->valuestring, n);
                name[n] = 0;
                if (!is_text(item->valuestring) || strpbrk(name, "\t\n"))
                        return bad_text("a variable", err);
                cJSON_DeleteItemFromObjectCaseSensitive(env, name); /* the last one counts */
                json_add_text(env, name, equals + 1);
        }
        return 0;
}

static int take_words(const cJSON *list, cJSON *config, const char *name, Error *err) {
        cJSON *words = cJSON_GetArraySize(list) > 0 ? json_add_array(config, name) : NULL;
        const cJSON *item;

        cJSON_ArrayForEach(item, list) {
                if (!is_text(item->valuestring))
                        return bad_text(name, err);
                json_push_text(words, item->valuestring);
        }
        return 0;
}

static int take_line(const char *text, cJSON *config, const char *name, Error *err) {
        if (!text || !*text)
                return 0;
        if (!is_text(text) || strpbrk(text, "\t\n"))
                return bad_text(name, err);
        json_add_text(config, name, text);
        return 0;
}

static int take_run(const cJSON *json, cJSON *config, Error *err) {
        const char *cwd = json_text(json, "WorkingDir");
        int r = take_env(json_get(json, "Env"), config, err);

        if (r >= 0 && cwd && *cwd && *cwd != '/')
                return error_say(err, -EINVAL, "WorkingDir is no absolute path");
        if (r >= 0)
                r = take_line(cwd, config, "cwd", err);
        if (r >= 0)
                r = take_line(json_text(json, "User"), config, "user", err);
        if (r >= 0)
                r = take_words(json_get(json, "Entrypoint"), config, "entrypoint", err);
        return r < 0 ? r : take_words(json_get(json, "Cmd"), config, "cmd", err);
}

static int check_size(const cJSON *config, Error *err) {
        autofree char *text = json_print(config);

        if (!text)
                return error_set(err, -ENOMEM, "read the configuration");
        if (strlen(text) > IMAGE_CONFIG_MAX)
                return error_say(err, -EINVAL,
                                 "environment and command have more than %u bytes together",
                                 IMAGE_CONFIG_MAX);
        return 0;
}

int image_read_config(const char *text, size_t n, Image *image, cJSON **ret_config, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(json_free) cJSON *config = cJSON_CreateObject();
        int r = image_parse(text, n, config_schema, &json, err);

        if (r >= 0)
                r = config ? check_machine(json, err) : -ENOMEM;
        if (r >= 0)
                r = take_diffs(json, image, err);
        if (r >= 0)
                r = take_run(json_get(json, "config"), config, err);
        if (r >= 0)
                r = check_size(config, err);
        if (r < 0)
                return r;
        *ret_config = TAKE_PTR(config);
        return 0;
}
