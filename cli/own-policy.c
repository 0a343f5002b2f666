/*
 * own-policy: see own-policy.h.
 */
#include "cli/own-policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/owned.h"
#include "cli/as-user.h"
#include "cli/user-file.h"

#define PATH_BYTES_MAX 512
#define FILE_SHOWN_MAX 200 /* of "file" in the request */

int own_policy_read(const char *path, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        autofree char *text = NULL;
        size_t length = strlen(path);
        int r = user_file_read(path, OWN_POLICY_MAX, &text, err);

        if (r < 0)
                return r;
        json_add_text(json, "file",
                      length > FILE_SHOWN_MAX ? path + length - FILE_SHOWN_MAX : path);
        if (!json_add_text(json, "text", text))
                return error_set(err, -ENOMEM, "read %s", path);
        *ret = TAKE_PTR(json);
        return 0;
}

/* Where the caller keeps policies of his own; @name NULL: the directory. Returns: does it fit */
static bool own_path(const char *name, char *path) {
        User user;

        user_of_caller(&user);
        return user.home[0] &&
               snprintf(path, PATH_BYTES_MAX, "%s/.config/warder/policies%s%s%s", user.home,
                        name ? "/" : "", name ? name : "", name ? ".json" : "") < PATH_BYTES_MAX;
}

static bool find_own(const char *name, char *path) {
        return name_is_valid(name) && own_path(name, path) && access(path, F_OK) == 0;
}

static bool ends_in_json(const char *text) {
        size_t n = strlen(text);

        return n > 5 && strcmp(text + n - 5, ".json") == 0;
}

int own_policy_add(const char *policy, cJSON *params, const char *member, Error *err) {
        char path[PATH_BYTES_MAX];
        cJSON *own = NULL;
        int r;

        if (!strchr(policy, '/') && ends_in_json(policy))
                return error_say(err, -EINVAL,
                                 "'%.100s' would be the name of a policy; a file needs a slash: "
                                 "./%.100s.",
                                 policy, policy);
        if (!strchr(policy, '/') && !find_own(policy, path)) {
                json_add_text(params, member, policy);
                return 0;
        }
        r = own_policy_read(strchr(policy, '/') ? policy : path, &own, err);
        if (r == 0)
                json_add_consume(params, member, own);
        return r;
}

int own_policy_choose(const char *policy, cJSON *params, Error *err) {
        const char *value = policy ? policy : getenv("WARDER_POLICY");

        return value && *value ? own_policy_add(value, params, "policy", err) : 0;
}

static void push_name(cJSON *names, const char *file) {
        autofree char *name = ends_in_json(file) ? strndup(file, strlen(file) - 5) : NULL;

        if (name && name_is_valid(name))
                json_push_text(names, name);
}

cJSON *own_policy_names(void) {
        cJSON *names = cJSON_CreateArray();
        const struct dirent *entry;
        char path[PATH_BYTES_MAX];
        int fd = -EBADF;
        User user;
        DIR *dir;

        user_of_caller(&user);
        if (own_path(NULL, path))
                fd = as_user_open(&user, path, O_RDONLY | O_DIRECTORY, NULL);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir && fd >= 0)
                (void) close(fd);
        while (dir && (entry = readdir(dir)))
                push_name(names, entry->d_name);
        if (dir)
                (void) closedir(dir);
        return names;
}
