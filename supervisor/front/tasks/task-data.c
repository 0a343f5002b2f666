/*
 * task-data: see task-data.h.
 */
#include "supervisor/front/tasks/task-data.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/owned.h"
#include "base/workflow-parts.h"

#define FILE_BYTES_MAX (256u << 10)
#define ROLES_MAX      32u
#define SUFFIX         ".json"

static int read_json(int dir_fd, const char *path, cJSON **ret, Error *err) {
        autoclose int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (fd < 0)
                return error_set(err, -errno, "open %s", path);
        r = fd_read_all(fd, FILE_BYTES_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read %s", path);
        r = json_parse(text, n, JSON_COMMENTS, ret, err);
        return r < 0 ? error_add(err, r, "%s", path) : 0;
}

static int read_workflow(Front *front, const char *name, cJSON **ret, Error *err) {
        char path[192];

        (void) snprintf(path, sizeof(path), "workflows/%s" SUFFIX, name);
        return read_json(front->data_fd, path, ret, err);
}

int task_data_workflow(Front *front, const char *name, cJSON **ret, Error *err) {
        int r;

        if (!name_is_valid(name))
                return error_say(err, -EINVAL, "\"%s\" is no name of a workflow", name);
        r = read_workflow(front, name, ret, err);
        if (r == -ENOENT)
                return error_say(err, r, "there is no workflow \"%s\"", name);
        return r;
}

static int find_part(const char *name, void *userdata, cJSON **ret, Error *err) {
        int r = read_workflow(userdata, name, ret, err);

        return r == -ENOENT ? WORKFLOW_PART_E_ELSEWHERE : r; /* the agent says that it is missing */
}

int task_data_parts(Front *front, cJSON *workflow, Error *err) {
        return workflow_parts_add(workflow, find_part, front, err);
}

/* "architect.json" -> "architect"; others are no roles */
static bool role_name(const char *file, char *ret, size_t max) {
        size_t n = strlen(file), suffix = strlen(SUFFIX);

        if (n <= suffix || n - suffix >= max || strcmp(file + n - suffix, SUFFIX) != 0)
                return false;
        memcpy(ret, file, n - suffix);
        ret[n - suffix] = 0;
        return name_is_valid(ret);
}

static int read_roles(DIR *dir, cJSON *roles, Error *err) {
        const struct dirent *entry;
        unsigned n = 0;

        while (n < ROLES_MAX && (entry = readdir(dir))) {
                cJSON *role = NULL;
                char name[72];
                int r;

                if (!role_name(entry->d_name, name, sizeof(name)))
                        continue;
                r = read_json(dirfd(dir), entry->d_name, &role, err);
                if (r < 0)
                        return r;
                if (!json_add_consume(roles, name, role))
                        return error_set(err, -ENOMEM, "read the roles");
                n++;
        }
        return 0;
}

int task_data_roles(Front *front, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *roles = cJSON_CreateObject();
        int fd = openat(front->data_fd, "roles", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r;

        if (!dir) {
                r = error_set(err, -errno, "open the roles");
                owned_close(&fd);
                return r;
        }
        r = roles ? read_roles(dir, roles, err) : error_set(err, -ENOMEM, "read the roles");
        (void) closedir(dir);
        if (r == 0)
                *ret = TAKE_PTR(roles);
        return r;
}
