/*
 * image: the texts of a container image that strangers made. Input: a byte that says which form, whether a name is
 * asked for, then two texts with a 0 byte between them: index, or manifest and configuration. What is taken
 * keeps its bounds and says for this machine only what a jail can honour.
 */
#include "supervisor/front/store/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "supervisor/front/store/image-config.h"
#include "tests/fuzz/fuzz.h"

static void must(bool good) {
        if (!good)
                abort();
}

static void check_blob(const ImageBlob *blob, const char *text, size_t n) {
        Error err = ERROR_EMPTY;

        must(memchr(blob->path, 0, sizeof(blob->path)) != NULL);
        must(!blob->packing || strlen(blob->packing) < 8);
        must(image_check_text(blob, text, n, &err) == 0 || err.text[0]);
}

static void check_words(const cJSON *words) {
        const cJSON *word;

        cJSON_ArrayForEach(word, words) must(cJSON_IsString(word));
}

static void read_config(Image *image, const char *text, size_t n) {
        SCOPED(json_free) cJSON *config = NULL;
        autofree char *printed = NULL;
        Error err = ERROR_EMPTY;
        const cJSON *variable;
        const char *cwd;

        if (image_read_config(text, n, image, &config, &err) < 0) {
                must(err.text[0] && !config);
                return;
        }
        printed = json_print(config);
        must(printed && strlen(printed) <= IMAGE_CONFIG_MAX);
        cwd = json_text(config, "cwd");
        must(!cwd || cwd[0] == '/');
        cJSON_ArrayForEach(variable, json_get(config, "env")) {
                must(cJSON_IsString(variable) && variable->string[0]);
                must(!strpbrk(variable->string, "=\n\t"));
        }
        check_words(json_get(config, "entrypoint"));
        check_words(json_get(config, "cmd"));
}

static void read_index(const char *text, size_t n, const char *name) {
        ImageNext next = { 0 };
        Error err = ERROR_EMPTY;

        if (image_read_index(text, n, name, &next, &err) < 0) {
                must(err.text[0]);
                return;
        }
        check_blob(&next.blob, text, n);
        must(next.blob.has_digest && next.blob.has_size && next.blob.size <= IMAGE_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *text = (const char *) data + 1, *name, *second;
        size_t first, rest;
        Error err = ERROR_EMPTY;
        Image image;
        int r;

        if (n < 1)
                return 0;
        first = strnlen(text, n - 1);
        rest = n - 1 - first > 0 ? n - 1 - first - 1 : 0;
        second = rest > 0 ? text + first + 1 : "";
        name = data[0] & 4 ? "a" : NULL;
        if ((data[0] & 3) == 0) {
                read_index(text, first, name);
                return 0;
        }
        r = (data[0] & 3) == 1 ? image_read_docker(text, first, name, &image, &err)
                               : image_read_manifest(text, first, &image, &err);
        if (r < 0) {
                must(err.text[0]);
                return 0;
        }
        must(image.n_layers <= IMAGE_LAYERS_MAX);
        check_blob(&image.config, second, rest);
        for (unsigned i = 0; i < image.n_layers; i++)
                check_blob(&image.layers[i], second, rest);
        read_config(&image, second, rest);
        return 0;
}
