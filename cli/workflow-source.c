/*
 * workflow-source: see workflow-source.h.
 */
#include "cli/workflow-source.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/workflow-parts.h"
#include "cli/places.h"
#include "cli/user-file.h"

#define SUFFIX ".json"

/* ---- the caller's files -------------------------------------------------------------------------- */

/* By the caller's rights; a name cannot leave the directory: it has no "..". */
static int find_beside(const char *name, void *userdata, cJSON **ret, Error *err) {
        const char *dir = userdata;
        autofree char *path = NULL;
        Error why = ERROR_EMPTY;
        int r;

        if (asprintf(&path, "%s/%s" SUFFIX, dir, name) < 0)
                return error_set(err, -ENOMEM, "workflow %s", name);
        r = user_file_json(path, WORKFLOW_FILE_MAX, ret, &why);
        if (r == -ENOENT)
                return WORKFLOW_PART_E_ELSEWHERE;
        return r < 0 ? error_say(err, r, "%s", why.text) : 0;
}

int workflow_source_file(const char *path, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        autofree char *copy = strdup(path);
        int r;

        if (!copy)
                return error_set(err, -ENOMEM, "workflow %s", path);
        r = user_file_json(path, WORKFLOW_FILE_MAX, &json, err);
        if (r >= 0)
                r = workflow_parts_add(json, find_beside, dirname(copy), err);
        if (r >= 0)
                *ret = TAKE_PTR(json);
        return r;
}

/* ---- what is shipped ----------------------------------------------------------------------------- */

static int open_data(Error *err) {
        const char *dir = DATADIR;
        Places places;
        int fd;

        places_find(&places);
        for (unsigned i = 0; i < PLACES_MAX; i++)
                if (places.options[i] && strcmp(places.options[i], "--data-dir") == 0)
                        dir = places.values[i];
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open %s", dir) : fd;
}

static int read_json(int dir, const char *path, cJSON **ret, Error *err) {
        autoclose int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (fd < 0)
                return error_set(err, -errno, "open %s", path);
        r = fd_read_all(fd, WORKFLOW_FILE_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read %s", path);
        r = json_parse(text, n, JSON_COMMENTS, ret, err);
        return r < 0 ? error_add(err, r, "%s", path) : 0;
}

static int find_shipped(const char *name, void *userdata, cJSON **ret, Error *err) {
        const int *data = userdata;
        char path[192];
        int r;

        (void) snprintf(path, sizeof(path), "workflows/%s" SUFFIX, name);
        r = read_json(*data, path, ret, err);
        return r == -ENOENT ? WORKFLOW_PART_E_ELSEWHERE : r;
}

static int add_role(int dir, const char *file, cJSON *roles, Error *err) {
        size_t n = strlen(file), suffix = strlen(SUFFIX);
        autofree char *name = NULL;
        cJSON *role = NULL;
        int r;

        if (n <= suffix || strcmp(file + n - suffix, SUFFIX) != 0)
                return 0;
        name = strndup(file, n - suffix);
        if (!name)
                return error_set(err, -ENOMEM, "read the roles");
        r = read_json(dir, file, &role, err);
        if (r < 0)
                return r;
        return json_add_consume(roles, name, role) ? 0 : error_set(err, -ENOMEM, "read the roles");
}

static int add_roles(int data, cJSON *roles, Error *err) {
        int fd = openat(data, "roles", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                r = error_set(err, -errno, "open the roles");
                owned_close(&fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(dir)))
                r = add_role(dirfd(dir), entry->d_name, roles, err);
        (void) closedir(dir);
        return r;
}

static int load_named(const char *name, int data, cJSON **ret, Error *err) {
        int r;

        if (!workflow_part_is_name(name) || strstr(name, SUFFIX))
                return workflow_source_file(name, ret, err);
        r = find_shipped(name, &data, ret, err);
        if (r == WORKFLOW_PART_E_ELSEWHERE)
                return error_say(err, -ENOENT,
                                 "There is no workflow \"%s\" among those that are shipped; a file "
                                 "is named with its path, such as ./%s.json.",
                                 name, name);
        return r;
}

int workflow_source_all(const char *name, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *all = cJSON_CreateObject();
        autoclose int data = open_data(err);
        cJSON *workflow = NULL;
        int r;

        if (data < 0)
                return data;
        r = load_named(name, data, &workflow, err);
        if (r < 0)
                return r;
        if (!json_add_consume(all, "workflow", workflow) || !json_add_object(all, "roles"))
                return error_set(err, -ENOMEM, "workflow %s", name);
        r = workflow_parts_add(workflow, find_shipped, &data, err);
        if (r >= 0)
                r = add_roles(data, json_get(all, "roles"), err);
        if (r >= 0)
                *ret = TAKE_PTR(all);
        return r;
}
