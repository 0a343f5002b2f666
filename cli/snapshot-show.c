/*
 * snapshot-show: see snapshot-show.h.
 */
#include "cli/snapshot-show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"
#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/terminal.h"

#define NAME_WIDTH_MAX 80

/* "3 days", from a time of the protocol; "-" where there is none */
static const char *age_of(const cJSON *object, const char *member, char *text) {
        static const struct {
                uint64_t sec;
                const char *one, *many;
        } units[] = { { 86400, "day", "days" },
                      { 3600, "hour", "hours" },
                      { 60, "minute", "minutes" },
                      { 1, "second", "seconds" } };
        const char *time = json_text(object, member);
        uint64_t then = 0, now = units_now(), sec;

        (void) snprintf(text, UNITS_TEXT_MAX, "-");
        if (!time || units_parse_time(time, &then) < 0)
                return text;
        sec = now > then ? (now - then) / 1000000 : 0;
        for (size_t i = 0; i < ELEMENTS(units); i++) {
                uint64_t n = sec / units[i].sec;

                if (n == 0 && i + 1 < ELEMENTS(units))
                        continue;
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu %s", (unsigned long long) n,
                                n == 1 ? units[i].one : units[i].many);
                break;
        }
        return text;
}

const char *snapshot_text(const cJSON *object, const char *member) {
        const char *text = json_text(object, member);

        return text ? text : "-";
}

/* The word that means it for who reads this */
static const char *word_of(const cJSON *snapshot) {
        return snapshot_text(snapshot, json_text(snapshot, "ref") ? "ref" : "name");
}

static const char *sharing_of(const cJSON *snapshot) {
        const cJSON *shared = json_get(snapshot, "public");

        return !shared ? "-" : cJSON_IsTrue(shared) ? "public" : "private";
}

static int width_of(const cJSON *snapshots) {
        const cJSON *snapshot;
        int width = 8;

        cJSON_ArrayForEach(snapshot, snapshots) {
                size_t n = strlen(word_of(snapshot));

                if (n > (size_t) width)
                        width = n < NAME_WIDTH_MAX ? (int) n : NAME_WIDTH_MAX;
        }
        return width;
}

static void show_row(const cJSON *snapshot, int width) {
        const cJSON *layers = json_get(snapshot, "layers");
        autofree char *word = escape_new(word_of(snapshot), 100);
        char age[UNITS_TEXT_MAX], files[24] = "-";
        uint64_t entries;

        if (json_number(snapshot, "entries", &entries) == 0)
                (void) snprintf(files, sizeof files, "%llu", (unsigned long long) entries);
        printf("%-*s  ", width, word ? word : "-");
        show_size(snapshot, "bytes", 10);
        printf("%-9s  %-6d  %-7s  %s\n", files, cJSON_GetArraySize(layers), sharing_of(snapshot),
               age_of(snapshot, "created", age));
}

typedef struct Row {
        const char *word;
        const cJSON *snapshot;
} Row;

static int compare_rows(const void *a, const void *b) {
        return strcmp(((const Row *) a)->word, ((const Row *) b)->word);
}

void snapshot_show_list(const cJSON *result) {
        const cJSON *list = json_get(result, "snapshots"), *snapshot;
        autofree Row *rows = calloc((size_t) cJSON_GetArraySize(list) + 1, sizeof(*rows));
        int width = width_of(list);
        size_t n = 0;

        printf("%-*s  %-10s  %-9s  %-6s  %-7s  %s\n", width, "NAME", "SIZE", "FILES", "LAYERS",
               "USE", "AGE");
        if (!rows)
                return;
        cJSON_ArrayForEach(snapshot, list) rows[n++] = (Row){ word_of(snapshot), snapshot };
        if (n > 1)
                qsort(rows + 1, n - 1, sizeof(*rows), compare_rows);
        for (size_t i = 0; i < n; i++)
                show_row(rows[i].snapshot, width);
}

void snapshot_show_words(const char *what, const cJSON *words) {
        const cJSON *word;

        if (cJSON_GetArraySize(words) == 0)
                return;
        printf("  %s", what);
        cJSON_ArrayForEach(word, words) {
                putchar(' ');
                terminal_text(stdout, cJSON_IsString(word) ? word->valuestring : "", 200);
        }
        putchar('\n');
}

/* What a stranger's image says: escaped, and cut */
static void show_image(const cJSON *image) {
        const cJSON *user = json_get(image, "user"), *item;
        const char *cwd = json_text(image, "cwd");
        uint64_t uid, gid;

        if (json_number(user, "uid", &uid) == 0 && json_number(user, "gid", &gid) == 0)
                printf("  user %llu:%llu\n", (unsigned long long) uid, (unsigned long long) gid);
        if (cwd) {
                fputs("  directory ", stdout);
                terminal_text(stdout, cwd, 200);
                putchar('\n');
        }
        snapshot_show_words("entrypoint", json_get(image, "entrypoint"));
        snapshot_show_words("cmd", json_get(image, "cmd"));
        cJSON_ArrayForEach(item, json_get(image, "env")) {
                fputs("  ", stdout);
                terminal_text(stdout, item->string, 100);
                putchar('=');
                terminal_text(stdout, cJSON_IsString(item) ? item->valuestring : "", 200);
                putchar('\n');
        }
}

static void show_part(const cJSON *part) {
        const char *fault = json_text(part, "fault");
        uint64_t entries = 0, snapshots = 0;
        char files[UNITS_TEXT_MAX];

        (void) json_number(part, "entries", &entries);
        (void) json_number(part, "snapshots", &snapshots);
        fputs("  ", stdout);
        show_text(part, "layer", 0);
        show_size(part, "bytes", 10);
        fputs(units_format_count(entries, "file", files), stdout);
        if (snapshots > 1)
                printf(", in %llu snapshots", (unsigned long long) snapshots);
        if (json_text(part, "checked")) {
                fputs(", checked ", stdout);
                terminal_text(stdout, json_text(part, "checked"), 40);
        }
        putchar('\n');
        if (!fault)
                return;
        fputs("    DAMAGED: ", stdout);
        terminal_text(stdout, fault, 300);
        putchar('\n');
}

void snapshot_show_one(const cJSON *result) {
        const cJSON *part;
        uint64_t others = 0, owner = 0;
        char jails[UNITS_TEXT_MAX];

        show_row(result, 8);
        if (json_text(result, "created") && json_number(result, "owner_uid", &owner) == 0) {
                printf("  of uid %llu, since ", (unsigned long long) owner);
                terminal_text(stdout, json_text(result, "created"), 40);
                putchar('\n');
        }
        cJSON_ArrayForEach(part, json_get(result, "parts")) show_part(part);
        snapshot_show_words("used by", json_get(result, "jails"));
        (void) json_number(result, "other_jails", &others);
        if (others > 0)
                printf("  used by %s\n", units_format_count(others, "other jail", jails));
        show_image(json_get(result, "image"));
}

void snapshot_show_freed(const cJSON *result) {
        uint64_t layers = 0, waiting = 0, bytes = 0;
        char size[UNITS_TEXT_MAX], count[UNITS_TEXT_MAX];

        (void) json_number(result, "layers", &layers);
        (void) json_number(result, "bytes", &bytes);
        (void) json_number(result, "waiting", &waiting);
        printf("%s removed, %s freed\n", units_format_count(layers, "layer", count),
               units_format_size(bytes, size));
        if (waiting > 0)
                printf("in use: %s, to go when the last jail on top has ended\n",
                       units_format_count(waiting, "layer", count));
        snapshot_show_words("used by", json_get(result, "jails"));
}
