#pragma once
/*
 * stats-table: jails as warder stats and warder top show them: what each used when it was looked at last, and how
 * that went. Folded from the records of jail.stats.
 */
#include "base/ids.h"
#include "base/json.h"

#define STATS_HISTORY 240u /* looks that are kept of each jail */

typedef enum StatsOrder {
        STATS_BY_CPU = 0,
        STATS_BY_MEMORY,
        STATS_BY_PIDS,
        STATS_BY_DISK,
        STATS_BY_AGE, /* the youngest first */
        _STATS_ORDER_MAX,
} StatsOrder;

typedef struct StatsRow {
        char jail[ID_MAX];
        cJSON *last; /* owned: the newest record */
        bool is_seen;
        bool is_known;                  /* processor time of the look before is */
        uint64_t usage_usec;            /* then */
        uint64_t age_usec;              /* likewise */
        size_t n;                       /* looks that are kept */
        uint64_t cpu[STATS_HISTORY];    /* thousandths of a processor, oldest first */
        uint64_t memory[STATS_HISTORY]; /* bytes */
} StatsRow;

typedef struct StatsTable {
        StatsRow **rows; /* owned, by id */
        size_t n, n_sorted, cap;
        char (*wanted)[ID_MAX]; /* borrowed: ids; NULL: all */
        size_t n_wanted;
} StatsTable;

#define STATS_TABLE_EMPTY ((StatsTable){ 0 })

/** stats_table_wants() - is the jail of this id one of those that are looked at */
bool stats_table_wants(const StatsTable *table, const char *jail);
/** stats_table_begin() - a look begins: what it does not tell of has ended */
void stats_table_begin(StatsTable *table);
/** stats_table_fold() - one record of it, borrowed; -ENOMEM: it is left out */
int stats_table_fold(StatsTable *table, const cJSON *record);
/** stats_table_end() - the look is over: jails that it did not tell of go */
void stats_table_end(StatsTable *table);
/** stats_table_deinit() - release it */
void stats_table_deinit(StatsTable *table);

/** stats_number() - a number of a row's record by JSON pointer; 0 where it is not known */
uint64_t stats_number(const StatsRow *row, const char *pointer);
/** stats_cpu() - thousandths of a processor, at the last look */
uint64_t stats_cpu(const StatsRow *row);
/** stats_table_order() - the rows, as they are shown: what is most first. Returns: owned array of n borrowed rows; NULL: no memory */
StatsRow **stats_table_order(const StatsTable *table, StatsOrder order);
