/* image-user: see image-user.h. */
#include "sandbox/files/image-user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/land.h"

#define NAME_MAX_BYTES 64
#define TABLE_BYTES    (1u << 20) /* of a passwd or group; what comes behind is not seen */
#define FIELDS_MAX     4

typedef struct Found {
        uint64_t id;    /* field 2 */
        uint64_t group; /* field 3, of passwd */
} Found;

/* A number and nothing else. Returns: 0 or -EINVAL */
static int parse_id(const char *text, uint64_t *ret) {
        size_t n = strlen(text);

        if (n == 0 || n > 10 || strspn(text, "0123456789") != n)
                return -EINVAL;
        *ret = strtoull(text, NULL, 10);
        return 0;
}

/* A table of lines, terminated; one that is not there, or is no file, has no lines. */
static char *read_table(int root, const char *path) {
        autoclose int fd = beneath_open(root, path, O_RDONLY | O_NONBLOCK, 0);
        autofree char *text = calloc(1, TABLE_BYTES + 1);
        size_t at = 0;
        struct stat st;
        ssize_t n = 1;

        if (!text || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return TAKE_PTR(text);
        while (n > 0 && at < TABLE_BYTES) {
                n = read(fd, text + at, TABLE_BYTES - at);
                at += n > 0 ? (size_t) n : 0;
        }
        return TAKE_PTR(text);
}

/* The line whose name is @who, or else the one whose id is that number. Returns: true and @ret */
static bool find_line(const char *table, const char *who, bool by_id, Found *ret) {
        char line[512];

        for (const char *at = table; *at; at += strcspn(at, "\n"), at += *at == '\n') {
                char *fields[FIELDS_MAX] = { line }, *next = line;
                unsigned n = 1;
                Found found = { 0, 0 };

                (void) snprintf(line, sizeof(line), "%.*s", (int) strcspn(at, "\n"), at);
                while (n < FIELDS_MAX && (next = strchr(next, ':'))) {
                        *next++ = 0;
                        fields[n++] = next;
                }
                if (n == FIELDS_MAX)
                        fields[3][strcspn(fields[3], ":")] = 0;
                if (n < 3 || strcmp(fields[by_id ? 2 : 0], who) != 0 ||
                    parse_id(fields[2], &found.id) < 0)
                        continue;
                if (n == FIELDS_MAX)
                        (void) parse_id(fields[3], &found.group);
                *ret = found;
                return true;
        }
        return false;
}

/* By name first, as engines do: a name may look like a number. Returns: true and @ret */
static bool resolve(int root, const char *table, const char *who, Found *ret) {
        autofree char *text = read_table(root, table);

        if (text && (find_line(text, who, false, ret) || find_line(text, who, true, ret)))
                return true;
        ret->group = 0;
        return parse_id(who, &ret->id) == 0;
}

static int report_found(const Found *user, const char *who, Report *report) {
        if (user->id > LAND_ID_MAX || user->group > LAND_ID_MAX)
                return report_refuse(
                        report, RULE_ID_RANGE, who,
                        "the image's user has the id %llu:%llu; a jail has ids up to %u",
                        (unsigned long long) user->id, (unsigned long long) user->group,
                        LAND_ID_MAX);
        return report_numbers(report, RECORD_USER, user->id, user->group);
}

int image_user(int root, const char *who, Report *report, Error *err) {
        char name[NAME_MAX_BYTES];
        const char *colon = strchr(who, ':');
        size_t n = colon ? (size_t) (colon - who) : strlen(who);
        Found user, group;
        int r;

        if (n == 0 || n >= sizeof(name) || (colon && strlen(colon + 1) >= sizeof(name)))
                return report_refuse(report, RULE_NOT_THERE, who,
                                     "the image's configuration names no user that can be");
        memcpy(name, who, n);
        name[n] = 0;
        if (!resolve(root, "etc/passwd", name, &user))
                return report_refuse(report, RULE_NOT_THERE, who,
                                     "the image runs as a user that its etc/passwd does not have");
        if (colon && !resolve(root, "etc/group", colon + 1, &group))
                return report_refuse(report, RULE_NOT_THERE, who,
                                     "the image runs as a group that its etc/group does not have");
        if (colon)
                user.group = group.id;
        r = report_found(&user, who, report);
        return r < 0 && !report->refused ? error_set(err, r, "write a record") : r;
}
