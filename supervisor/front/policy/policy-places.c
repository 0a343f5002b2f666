/*
 * policy-places: see policy-places.h.
 *
 * Changes come by inotify on the directories, so that a create costs nothing for them. Its event source
 * goes before those of clients: a file that was closed before a request was sent has been heard of when the
 * request is read. After each event the watches are set anew, because a directory may have come or gone.
 */
#include "supervisor/front/policy/policy-places.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/log.h"

#define TEXT_MAX    (1024 * 1024)
#define WATCHES_MAX 5
#define CHANGES                                                                             \
        (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | \
         IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

typedef struct Place {
        int fd;             /* borrowed; -EBADF: there is none */
        const char *folder; /* below it, "" or with a slash at the end */
        char shown[160];    /* its path, for people */
} Place;

struct PolicyPlaces {
        sd_event *event; /* borrowed */
        Place items[POLICY_PLACES];
        sd_event_source *watches[WATCHES_MAX]; /* owned */
        bool is_blind;                         /* changes are not seen, and that was said */
        unsigned generation;
};

void place_file_deinit(PlaceFile *file) {
        free(file->text);
        file->text = NULL;
}

/* ---- news ----------------------------------------------------------------------------------------- */

static void watch_all(PolicyPlaces *places);

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        PolicyPlaces *places = userdata;

        (void) source;
        if (event->mask & IN_IGNORED) /* of a watch that was taken away */
                return 0;
        places->generation++;
        watch_all(places);
        return 0;
}

static int watch(PolicyPlaces *places, sd_event_source **ret, const Place *place,
                 const char *folder) {
        char path[64];
        autoclose int fd = -EBADF;
        int r;

        (void) snprintf(path, sizeof path, "%s%s", place->folder, folder);
        fd = openat(place->fd, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = sd_event_add_inotify_fd(places->event, ret, fd, CHANGES, on_change, places);
        if (r >= 0)
                (void) sd_event_source_set_description(*ret, "policies");
        return r < 0 ? r : sd_event_source_set_priority(*ret, SD_EVENT_PRIORITY_IMPORTANT);
}

static void watch_all(PolicyPlaces *places) {
        static const char *const folders[] = { ".", "seccomp" };
        sd_event_source *old[WATCHES_MAX];
        unsigned n = 0;
        int r = 0;

        memcpy(old, places->watches, sizeof old);
        memset(places->watches, 0, sizeof old);
        for (unsigned i = 0; i < POLICY_PLACES; i++) {
                const Place top = { .fd = places->items[i].fd, .folder = "" };

                if (places->items[i].fd < 0)
                        continue;
                if (places->items[i].folder[0] && r >= 0)
                        r = watch(places, &places->watches[n++], &top, "");
                for (unsigned j = 0; j < ELEMENTS(folders) && r >= 0; j++)
                        r = watch(places, &places->watches[n++], &places->items[i], folders[j]);
        }
        for (unsigned i = 0; i < WATCHES_MAX; i++)
                sd_event_source_disable_unref(old[i]);
        if (r < 0 && !places->is_blind) {
                Error err = ERROR_EMPTY;

                (void) error_set(&err, r, "watch the directories of policies");
                log_event(LOG_WARNING, "changed policies are not seen until a restart",
                          F_ERR(&err));
                places->is_blind = true;
        }
}

/* ---- the directories ------------------------------------------------------------------------------ */

static void name_place(Place *place, const char *otherwise) {
        char link[48], path[128];
        ssize_t n;

        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", place->fd);
        n = readlink(link, path, sizeof path - 1);
        path[n > 0 ? n : 0] = '\0';
        (void) snprintf(place->shown, sizeof place->shown, "%s/%s",
                        path[0] == '/' ? path : otherwise, place->folder);
}

int policy_places_new(Front *front, int dir_fd, PolicyPlaces **ret, Error *err) {
        PolicyPlaces *places = calloc(1, sizeof *places);

        if (!places)
                return error_set(err, -ENOMEM, "look for policies");
        places->event = front->event;
        places->items[0] = (Place){ .fd = front->config_fd, .folder = "policies/" };
        places->items[1] = (Place){ .fd = dir_fd, .folder = "" };
        name_place(&places->items[0], SYSCONFDIR);
        name_place(&places->items[1], DATADIR "/policies");
        watch_all(places);
        *ret = places;
        return 0;
}

PolicyPlaces *policy_places_free(PolicyPlaces *places) {
        if (!places)
                return NULL;
        for (unsigned i = 0; i < WATCHES_MAX; i++)
                sd_event_source_disable_unref(places->watches[i]);
        free(places);
        return NULL;
}

unsigned policy_places_generation(const PolicyPlaces *places) {
        return places->generation;
}

/* ---- reading -------------------------------------------------------------------------------------- */

static int read_file(int fd, PlaceFile *file, Error *err) {
        struct stat what;
        int r;

        if (fstat(fd, &what) < 0)
                return error_set(err, -errno, "look at %s", file->shown);
        if (!S_ISREG(what.st_mode))
                return error_say(err, -EINVAL, "%s is no regular file", file->shown);
        if (what.st_mode & S_IWOTH)
                return error_say(err, -EPERM, "%s may be written by everybody: chmod o-w",
                                 file->shown);
        r = fd_read_all(fd, TEXT_MAX, &file->text, &file->n);
        return r < 0 ? error_set(err, r, "read %s", file->shown) : 0;
}

int policy_places_read(const PolicyPlaces *places, const char *name, unsigned from, PlaceFile *ret,
                       Error *err) {
        SCOPED(place_file_deinit) PlaceFile file = { 0 };
        char path[128];
        int r;

        for (unsigned i = from; i < POLICY_PLACES; i++) {
                const Place *place = &places->items[i];
                autoclose int fd = -EBADF;

                if (place->fd < 0)
                        continue;
                (void) snprintf(path, sizeof path, "%s%s", place->folder, name);
                (void) snprintf(file.shown, sizeof file.shown, "%s%s", place->shown, name);
                fd = openat(place->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                if (fd < 0 && errno == ENOENT)
                        continue;
                if (fd < 0)
                        return error_set(err, -errno, "open %s", file.shown);
                file.place = i;
                r = read_file(fd, &file, err);
                if (r < 0)
                        return r;
                *ret = file;
                file.text = NULL;
                return 0;
        }
        return error_say(err, -ENOENT, "there is no %s in %s", name,
                         places->items[POLICY_PLACES - 1].shown);
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* Sorted, each once. By hand: cJSON_InsertItemInArray() of Debian 12 refuses to insert in the middle. */
static void push_sorted(cJSON **names, const char *name) {
        cJSON *more = cJSON_CreateArray();
        const cJSON *item;
        bool placed = false;

        cJSON_ArrayForEach(item, *names) {
                int order = strcmp(name, item->valuestring);

                if (!placed && order <= 0)
                        json_push_text(more, name);
                placed |= order <= 0;
                if (order != 0)
                        json_push_text(more, item->valuestring);
        }
        if (!placed)
                json_push_text(more, name);
        cJSON_Delete(*names);
        *names = more;
}

static void push_file(cJSON **names, const char *file) {
        size_t n = strlen(file);
        autofree char *name = NULL;

        if (n < 6 || strcmp(file + n - 5, ".json") != 0)
                return;
        name = strndup(file, n - 5);
        if (name && name_is_valid(name))
                push_sorted(names, name);
}

cJSON *policy_places_names(const PolicyPlaces *places) {
        cJSON *names = cJSON_CreateArray();

        for (unsigned i = 0; i < POLICY_PLACES; i++) {
                const Place *place = &places->items[i];
                int fd = place->fd < 0 ? -EBADF
                                       : openat(place->fd, place->folder[0] ? place->folder : ".",
                                                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                DIR *dir = fd < 0 ? NULL : fdopendir(fd);
                const struct dirent *entry;

                if (!dir && fd >= 0)
                        (void) close(fd);
                if (!dir)
                        continue;
                while ((entry = readdir(dir)))
                        push_file(&names, entry->d_name);
                (void) closedir(dir);
        }
        return names;
}
