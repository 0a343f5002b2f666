/*
 * own-policy: see own-policy.h.
 */
#include "cli/own-policy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/ids.h"
#include "cli/as-user.h"

#define PATH_BYTES_MAX 512
#define FILE_SHOWN_MAX 200 /* of "file" in the request */

int own_policy_read(const char *path, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        autofree char *text = NULL;
        autoclose int fd = -EBADF;
        size_t n = 0, length = strlen(path);
        User user;
        int r;

        user_of_caller(&user);
        fd = as_user_open(&user, path, O_RDONLY, err);
        if (fd < 0)
                return fd;
        r = fd_read_all(fd, OWN_POLICY_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read %s", path);
        if (memchr(text, '\0', n))
                return error_say(err, -EINVAL, "%s is no text.", path);
        json_add_text(json, "file",
                      length > FILE_SHOWN_MAX ? path + length - FILE_SHOWN_MAX : path);
        if (!json_add_text(json, "text", text))
                return error_set(err, -ENOMEM, "read %s", path);
        *ret = TAKE_PTR(json);
        return 0;
}

static bool find_own(const char *name, char *path) {
        User user;

        if (!name_is_valid(name))
                return false;
        user_of_caller(&user);
        return snprintf(path, PATH_BYTES_MAX, "%s/.config/warder/policies/%s.json", user.home,
                        name) < PATH_BYTES_MAX &&
               access(path, F_OK) == 0;
}

int own_policy_add(const char *policy, cJSON *params, Error *err) {
        char path[PATH_BYTES_MAX];
        cJSON *own = NULL;
        int r;

        if (!strchr(policy, '/') && !find_own(policy, path)) {
                json_add_text(params, "policy", policy);
                return 0;
        }
        r = own_policy_read(strchr(policy, '/') ? policy : path, &own, err);
        if (r == 0)
                json_add_consume(params, "policy", own);
        return r;
}
