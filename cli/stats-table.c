/*
 * stats-table: see stats-table.h. Rows stand by their ids, so that finding one costs a few comparisons however many
 * there are.
 */
#include "cli/stats-table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static StatsRow *row_free(StatsRow *row) {
        if (!row)
                return NULL;
        json_free(row->last);
        free(row);
        return NULL;
}

static int by_id(const void *a, const void *b) {
        const StatsRow *const *one = a, *const *other = b;

        return strcmp((*one)->jail, (*other)->jail);
}

static StatsRow *find(const StatsTable *table, const char *jail) {
        StatsRow key = { 0 }, *at = &key, **found;

        if (table->n_sorted == 0)
                return NULL;
        (void) snprintf(key.jail, sizeof key.jail, "%s", jail);
        found = bsearch(&at, table->rows, table->n_sorted, sizeof *table->rows, by_id);
        return found ? *found : NULL;
}

static StatsRow *add(StatsTable *table, const char *jail) {
        size_t cap = table->cap ? 2 * table->cap : 16;
        StatsRow **rows, *row;

        if (table->n == table->cap) {
                rows = realloc(table->rows, cap * sizeof *rows);
                if (!rows)
                        return NULL;
                table->rows = rows;
                table->cap = cap;
        }
        row = calloc(1, sizeof *row);
        if (!row)
                return NULL;
        (void) snprintf(row->jail, sizeof row->jail, "%s", jail);
        table->rows[table->n++] = row;
        return row;
}

bool stats_table_wants(const StatsTable *table, const char *jail) {
        for (size_t i = 0; i < table->n_wanted; i++)
                if (strcmp(table->wanted[i], jail) == 0)
                        return true;
        return table->n_wanted == 0;
}

uint64_t stats_number(const StatsRow *row, const char *pointer) {
        const cJSON *item = json_at(row->last, pointer);

        return cJSON_IsNumber(item) && item->valuedouble > 0 ? (uint64_t) item->valuedouble : 0;
}

uint64_t stats_cpu(const StatsRow *row) {
        return row->n > 0 ? row->cpu[row->n - 1] : 0;
}

static void keep(StatsRow *row, uint64_t cpu, uint64_t memory) {
        if (row->n == STATS_HISTORY) {
                memmove(row->cpu, row->cpu + 1, sizeof row->cpu - sizeof *row->cpu);
                memmove(row->memory, row->memory + 1, sizeof row->memory - sizeof *row->memory);
                row->n--;
        }
        row->cpu[row->n] = cpu;
        row->memory[row->n++] = memory;
}

/* Of the first look nothing is known but the sum since the jail was made. */
static void take_figures(StatsRow *row) {
        uint64_t usage = stats_number(row, "/cpu/usage_usec"), age = stats_number(row, "/age_usec");
        uint64_t used = usage > row->usage_usec ? usage - row->usage_usec : 0;
        uint64_t passed = age > row->age_usec ? age - row->age_usec : 0;

        keep(row, row->is_known && passed ? used * 1000 / passed : 0,
             stats_number(row, "/memory/now"));
        row->usage_usec = usage;
        row->age_usec = age;
        row->is_known = true;
}

void stats_table_begin(StatsTable *table) {
        for (size_t i = 0; i < table->n; i++)
                table->rows[i]->is_seen = false;
}

int stats_table_fold(StatsTable *table, const cJSON *record) {
        const char *jail = json_text(record, "jail");
        StatsRow *row;
        cJSON *copy;

        if (!jail || !stats_table_wants(table, jail))
                return 0;
        row = find(table, jail);
        if (!row)
                row = add(table, jail);
        copy = row ? cJSON_Duplicate(record, true) : NULL;
        if (!copy)
                return -ENOMEM;
        json_free(row->last);
        row->last = copy;
        row->is_seen = true;
        take_figures(row);
        return 0;
}

void stats_table_end(StatsTable *table) {
        size_t kept = 0;

        for (size_t i = 0; i < table->n; i++) {
                if (table->rows[i]->is_seen)
                        table->rows[kept++] = table->rows[i];
                else
                        row_free(table->rows[i]);
        }
        table->n = table->n_sorted = kept;
        if (kept > 0)
                qsort(table->rows, kept, sizeof *table->rows, by_id);
}

void stats_table_deinit(StatsTable *table) {
        for (size_t i = 0; i < table->n; i++)
                row_free(table->rows[i]);
        free(table->rows);
        *table = STATS_TABLE_EMPTY;
}

/* What is larger comes first; rows that are alike stand by their ids, so that they keep their places. */
static uint64_t key_of(const StatsRow *row, StatsOrder order) {
        static const char *const pointers[_STATS_ORDER_MAX] = { [STATS_BY_MEMORY] = "/memory/now",
                                                                [STATS_BY_PIDS] = "/pids/now",
                                                                [STATS_BY_DISK] = "/disk/used",
                                                                [STATS_BY_AGE] = "/age_usec" };
        uint64_t key = order == STATS_BY_CPU ? stats_cpu(row) : stats_number(row, pointers[order]);

        return order == STATS_BY_AGE ? UINT64_MAX - key : key;
}

static int by_key(const void *a, const void *b, void *userdata) {
        const StatsRow *const *one = a, *const *other = b;
        const StatsOrder *order = userdata;
        uint64_t first = key_of(*one, *order), second = key_of(*other, *order);

        if (first != second)
                return first < second ? 1 : -1;
        return strcmp((*one)->jail, (*other)->jail);
}

StatsRow **stats_table_order(const StatsTable *table, StatsOrder order) {
        StatsRow **rows = calloc(table->n + 1, sizeof *rows);

        if (!rows)
                return NULL;
        for (size_t i = 0; i < table->n; i++)
                rows[i] = table->rows[i];
        qsort_r(rows, table->n, sizeof *rows, by_key, &order);
        return rows;
}
