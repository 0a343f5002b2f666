/* unpack: see unpack.h. */
#include "sandbox/files/unpack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/files/archive.h"
#include "sandbox/files/hold.h"
#include "sandbox/files/land-finish.h"
#include "sandbox/files/unpack-xattrs.h"
#include "sandbox/files/whiteouts.h"

typedef struct Unpack {
        Land land;
        Archive *archive;            /* owned */
        struct archive_entry *entry; /* borrowed from the archive */
        Report *report;              /* borrowed */
        char prefix[NAME_PATH_MAX];  /* clean */
        uint32_t owner;              /* of everything; UNPACK_OWNER_KEEP: the archive says */
        uint16_t dir_mode;           /* of directories; 0: the archive says */
        char path[NAME_PATH_MAX];    /* of the entry, clean, prefix included */
        EntryMeta meta;
        uint64_t entries;
        bool takes_image, is_layer;
        uint32_t image; /* ImageForms that showed themselves */
        Whiteouts whiteouts;
} Unpack;

/* What a record shows where a name cannot be read at all. */
static const char *shown(const char *name) {
        return name ? name : "(a name that cannot be read)";
}

/* A name of the archive in its clean form beneath the prefix. */
static int clean_path(Unpack *unpack, const char *name, char *ret_path) {
        char clean[NAME_PATH_MAX];
        RecordRule rule = name ? name_clean(name, strlen(name), clean) : RULE_NAME_BYTES;

        if (rule != RULE_NONE)
                return report_refuse(unpack->report, rule, shown(name), "%s", name_sentence(rule));
        if (!*clean)
                memcpy(ret_path, unpack->prefix, strlen(unpack->prefix) + 1);
        else if (!name_join(ret_path, unpack->prefix, clean))
                return report_refuse(unpack->report, RULE_NAME_LONG, clean, "%s",
                                     name_sentence(RULE_NAME_LONG));
        return 0;
}

static const char *entry_name(struct archive_entry *entry) {
        const char *name = archive_entry_pathname(entry);

        return name ? name : archive_entry_pathname_utf8(entry);
}

static int read_meta(Unpack *unpack, EntryKind kind) {
        struct archive_entry *entry = unpack->entry;
        bool keep = unpack->owner == UNPACK_OWNER_KEEP;
        int64_t uid = keep ? archive_entry_uid(entry) : unpack->owner;
        int64_t gid = keep ? archive_entry_gid(entry) : unpack->owner;
        long nsec = archive_entry_mtime_nsec(entry);
        int64_t size = kind == ENTRY_FILE ? archive_entry_size(entry) : 0;

        unpack->meta = (EntryMeta){
                .kind = (uint8_t) kind,
                .mode = (uint16_t) (archive_entry_perm(entry) & 07777),
                .uid = uid < 0 || uid > UINT32_MAX ? UINT32_MAX : (uint32_t) uid,
                .gid = gid < 0 || gid > UINT32_MAX ? UINT32_MAX : (uint32_t) gid,
                .sec = archive_entry_mtime(entry),
                .nsec = nsec < 0 || nsec > 999999999 ? 0 : (uint32_t) nsec,
                .size = size < 0 ? 0 : (uint64_t) size,
        };
        if (unpack->dir_mode)
                unpack->meta.mode = kind == ENTRY_DIR ? unpack->dir_mode : unpack->meta.mode & 0755;
        return 0;
}

static int clean_meta(Unpack *unpack) {
        int r = 0;

        if (unpack->meta.mode & 06000)
                r = report_note(unpack->report, RULE_SET_ID, unpack->path,
                                "its set-id bits were taken off");
        if (r >= 0)
                r = land_clean_meta(&unpack->land, unpack->path, &unpack->meta);
        return r;
}

/*
 * A container image holds layers and says in JSON how they lie upon each other; taken for a tree it would
 * become a root without a program. It shows itself by a file at the top.
 */
static int check_image(Unpack *unpack, const void *bytes, size_t n) {
        const char *what = NULL;

        if (*unpack->prefix || unpack->is_layer)
                return 0;
        if (strcmp(unpack->path, "oci-layout") == 0 && memmem(bytes, n, "imageLayoutVersion", 18)) {
                what = "an OCI image layout";
                unpack->image |= IMAGE_LAYOUT;
        }
        if (strcmp(unpack->path, "manifest.json") == 0 && memmem(bytes, n, "\"Layers\"", 8)) {
                what = "an image of docker save";
                unpack->image |= IMAGE_DOCKER;
        }
        if (!what || unpack->takes_image)
                return 0;
        return report_refuse(unpack->report, RULE_IMAGE, unpack->path,
                             "the archive is %s, whose layers are archives themselves; pack the "
                             "tree of a container of it: docker export, podman export",
                             what);
}

static int unpack_content(Unpack *unpack, Error *err) {
        const void *bytes = NULL;
        uint64_t offset = 0;
        size_t n = 0;
        int r;

        while ((r = archive_data(unpack->archive, &bytes, &n, &offset, err)) > 0) {
                r = offset == 0 ? check_image(unpack, bytes, n) : 0;
                if (r >= 0)
                        r = land_data(&unpack->land, offset, bytes, n, err);
                if (r >= 0)
                        r = report_progress(unpack->report, archive_bytes_read(unpack->archive),
                                            unpack->entries);
                if (r < 0)
                        return r;
        }
        return r;
}

static int unpack_file(Unpack *unpack, Error *err) {
        int r = land_file(&unpack->land, unpack->path, &unpack->meta, err);

        if (r >= 0)
                r = unpack_xattrs(&unpack->land, unpack->entry, unpack->path, err);
        if (r >= 0)
                r = unpack_content(unpack, err);
        return r < 0 ? r : land_file_end(&unpack->land, err);
}

static int unpack_dir(Unpack *unpack, Error *err) {
        int r = land_dir(&unpack->land, unpack->path, &unpack->meta, err);

        return r < 0 ? r : unpack_xattrs(&unpack->land, unpack->entry, unpack->path, err);
}

static int unpack_link(Unpack *unpack, Error *err) {
        const char *target = archive_entry_symlink(unpack->entry);

        if (!target)
                target = archive_entry_symlink_utf8(unpack->entry);
        if (!target || !*target || strlen(target) >= NAME_PATH_MAX)
                return report_refuse(unpack->report, RULE_DAMAGED, unpack->path,
                                     "the link has no target, or one that is too long");
        return land_link(&unpack->land, unpack->path, target, &unpack->meta, err);
}

static int unpack_hard_link(Unpack *unpack, const char *name, Error *err) {
        char target[NAME_PATH_MAX], clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(name, strlen(name), clean);

        if (rule != RULE_NONE || !name_join(target, unpack->prefix, clean))
                return report_refuse(unpack->report, RULE_LINK_OUT, unpack->path,
                                     "it is a hard link to \"%.200s\": %s", name,
                                     name_sentence(rule));
        return land_hard_link(&unpack->land, unpack->path, target, err);
}

static int leave_out_special(Unpack *unpack) {
        mode_t type = archive_entry_filetype(unpack->entry);
        const char *what = type == AE_IFIFO                       ? "a fifo"
                           : type == AE_IFSOCK                    ? "a socket"
                           : type == AE_IFCHR || type == AE_IFBLK ? "a device"
                                                                  : "no kind of file that is known";

        return report_note(unpack->report, RULE_SPECIAL_FILE, unpack->path,
                           "it is %s, and was left out", what);
}

static int unpack_by_type(Unpack *unpack, Error *err) {
        const char *hard_link = archive_entry_hardlink(unpack->entry);
        mode_t type = archive_entry_filetype(unpack->entry);
        EntryKind kind = type == AE_IFDIR ? ENTRY_DIR : type == AE_IFLNK ? ENTRY_LINK : ENTRY_FILE;
        int r;

        if (!hard_link)
                hard_link = archive_entry_hardlink_utf8(unpack->entry);
        if (hard_link)
                return unpack_hard_link(unpack, hard_link, err);
        if (type != AE_IFDIR && type != AE_IFLNK && type != AE_IFREG)
                return leave_out_special(unpack);
        r = read_meta(unpack, kind);
        if (r >= 0)
                r = clean_meta(unpack);
        if (r < 0)
                return r;
        if (type == AE_IFDIR)
                return unpack_dir(unpack, err);
        return type == AE_IFLNK ? unpack_link(unpack, err) : unpack_file(unpack, err);
}

static int unpack_entry(Unpack *unpack, Error *err) {
        int r = clean_path(unpack, entry_name(unpack->entry), unpack->path);

        if (r < 0)
                return r;
        unpack->report->entry = unpack->path;
        unpack->entries++;
        if (unpack->is_layer && (r = whiteouts_take(&unpack->whiteouts, unpack->path, err)) != 0)
                return r < 0 ? r : 0;
        if (strncmp(unpack->path, ".wh.", 4) == 0 || strstr(unpack->path, "/.wh."))
                return report_note(unpack->report, RULE_WHITEOUT_NAME, unpack->path,
                                   "a name that marks a deletion in image layers was left out");
        r = unpack_by_type(unpack, err);
        return r < 0 ? r
                     : report_progress(unpack->report, archive_bytes_read(unpack->archive),
                                       unpack->entries);
}

static int unpack_all(Unpack *unpack, Error *err) {
        int r;

        while ((r = archive_next(unpack->archive, &unpack->entry, err)) > 0) {
                r = unpack_entry(unpack, err);
                unpack->report->entry = NULL;
                if (r < 0)
                        return r;
        }
        return r;
}

/* An image is no layer: whoever asked reads what it holds, by digest. */
static int report_image(Unpack *unpack, Error *err) {
        const RecordHead head = { .kind = RECORD_IMAGE,
                                  .flags = unpack->image,
                                  .a = unpack->land.bytes,
                                  .b = table_count(unpack->land.table) };
        int r = report_bytes(unpack->report, &head, NULL, 0);

        return r < 0 ? error_set(err, r, "write a record") : 0;
}

static int finish(Unpack *unpack, Error *err) {
        int r = archive_check(unpack->archive, err);

        if (r < 0 || unpack->image)
                return r < 0 ? r : report_image(unpack, err);
        if (unpack->is_layer)
                r = whiteouts_land(&unpack->whiteouts, err);
        if (r >= 0)
                r = report_numbers(unpack->report, RECORD_GROWN,
                                   archive_bytes_read(unpack->archive),
                                   archive_bytes_grown(unpack->archive));
        return r < 0 ? r : land_finish(&unpack->land, err);
}

static int start(Unpack *unpack, const UnpackJob *job, Error *err) {
        int r = land_init(&unpack->land, job->out, &job->limits, unpack->report);

        if (r >= 0 && job->is_layer)
                r = whiteouts_init(&unpack->whiteouts, &unpack->land, job->below);
        if (r < 0)
                return error_set(err, r, "start to unpack");
        unpack->land.owner = job->owner == UNPACK_OWNER_KEEP ? 0 : job->owner;
        if (job->held) {
                unpack->owner = unpack->land.owner = 0;
                unpack->land.dir_mode = unpack->dir_mode = HOLD_DIRECTORY_MODE;
        }
        return archive_new(job->in, &job->known, unpack->report, &unpack->archive, err);
}

int unpack_run(const UnpackJob *job, Report *report, Error *err) {
        autofree Unpack *unpack = calloc(1, sizeof(*unpack));
        const char *prefix = job->prefix ? job->prefix : "";
        int r;

        if (!unpack)
                return error_set(err, -ENOMEM, "start to unpack");
        unpack->report = report;
        if (*prefix && name_clean(prefix, strlen(prefix), unpack->prefix) != RULE_NONE)
                return error_say(err, -EINVAL, "\"%s\" is no directory beneath the layer", prefix);
        unpack->owner = job->owner;
        unpack->takes_image = job->takes_image;
        unpack->is_layer = job->is_layer;
        r = start(unpack, job, err);
        if (r >= 0)
                r = unpack_all(unpack, err);
        if (r >= 0)
                r = finish(unpack, err);
        archive_close(unpack->archive);
        whiteouts_deinit(&unpack->whiteouts);
        land_deinit(&unpack->land);
        return r;
}
