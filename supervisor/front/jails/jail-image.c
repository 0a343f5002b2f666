/* jail-image: see jail-image.h. */
#include "supervisor/front/jails/jail-image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "supervisor/front/commands/commands.h"

#define VARIABLE_MAX (1024 * 1024)

static char *variable(const char *name, const char *value) {
        Buf text = BUF_EMPTY(VARIABLE_MAX);

        if (buf_printf(&text, "%s=%s", name, value) < 0) {
                buf_deinit(&text);
                return NULL;
        }
        return buf_take(&text);
}

char **environment_free(char **environment) {
        for (char **at = environment; at && *at; at++)
                free(*at);
        free(environment);
        return NULL;
}

/* The default variables that nobody names; a null takes one away. Returns: false without memory */
static bool add_defaults(char **env, unsigned *n, const cJSON *image, const cJSON *asked) {
        for (unsigned i = 0; command_environment[i]; i++) {
                const char *text = command_environment[i];
                char name[32];

                (void) snprintf(name, sizeof name, "%.*s", (int) strcspn(text, "="), text);
                if (json_get(image, name) || json_get(asked, name))
                        continue;
                env[*n] = strdup(text);
                if (!env[*n])
                        return false;
                ++*n;
        }
        return true;
}

static bool add_object(char **env, unsigned *n, const cJSON *object, const cJSON *above) {
        const cJSON *item;

        cJSON_ArrayForEach(item, object) {
                if (!cJSON_IsString(item) || json_get(above, item->string))
                        continue;
                env[*n] = variable(item->string, item->valuestring);
                if (!env[*n])
                        return false;
                ++*n;
        }
        return true;
}

char **environment_new(const cJSON *image, const cJSON *asked) {
        const cJSON *own = json_get(image, "env");
        size_t room = 8 + (size_t) cJSON_GetArraySize(own) + (size_t) cJSON_GetArraySize(asked);
        char **env = calloc(room, sizeof *env);
        unsigned n = 0;

        if (env && add_defaults(env, &n, own, asked) && add_object(env, &n, own, asked) &&
            add_object(env, &n, asked, NULL))
                return env;
        return environment_free(env);
}

const char **jail_image_command(const cJSON *image) {
        const cJSON *lists[] = { json_get(image, "entrypoint"), json_get(image, "cmd") }, *word;
        int size = cJSON_GetArraySize(lists[0]) + cJSON_GetArraySize(lists[1]);
        const char **words = size > 0 ? calloc((size_t) size + 1, sizeof *words) : NULL;
        unsigned n = 0;

        for (unsigned i = 0; words && i < ELEMENTS(lists); i++)
                cJSON_ArrayForEach(word, lists[i]) if (cJSON_IsString(word)) words[n++] =
                        word->valuestring;
        return words;
}

bool jail_image_user(const cJSON *image, uint32_t *ret_uid, uint32_t *ret_gid) {
        const cJSON *user = json_get(image, "user");
        uint64_t uid, gid;

        if (json_number(user, "uid", &uid) < 0 || json_number(user, "gid", &gid) < 0)
                return false;
        *ret_uid = (uint32_t) uid;
        *ret_gid = (uint32_t) gid;
        return true;
}
