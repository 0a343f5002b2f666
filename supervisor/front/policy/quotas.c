/*
 * quotas: see quotas.h.
 *
 * Creates of a minute are a bucket that leaks: a level that each create raises by one and that sinks by the
 * bound in a minute; it may not rise above the bound. It is brought up to now when somebody asks; no timer
 * runs.
 */
#include "supervisor/front/policy/quotas.h"

#include <stdio.h>

#include "base/units.h"

#define CREATE 1000000ull /* in the units of Account.creates */

int quota_ceiling(Front *front, uint32_t uid, const Ceiling **ret, Error *err) {
        Account *account;
        int r = account_find(front, uid, &account, err);

        if (r >= 0)
                *ret = &account->ceiling;
        return r;
}

static const char *amount(CeilingField field, uint64_t value, char *text) {
        if (field == QUOTA_MEMORY || field == QUOTA_DISK || field == QUOTA_SNAPSHOT_DISK ||
            field == QUOTA_WORKSPACE_DISK)
                return units_format_size(value, text);
        if (field == QUOTA_CPU)
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu%%", (unsigned long long) value / 10);
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long) value);
        return text;
}

int quota_exceed(Account *account, const AccountFault *fault, Error *err) {
        char used[UNITS_TEXT_MAX], asked[UNITS_TEXT_MAX], bound[UNITS_TEXT_MAX];
        char source[CEILING_SOURCE_MAX];

        account->fault = *fault;
        account->fault.mark = ++account->accounts->faults;
        (void) error_say(
                err, -EDQUOT, "%s: you may have %s, have %s, and ask for %s (%s)",
                ceiling_field_name(fault->field), amount(fault->field, fault->bound.value, bound),
                amount(fault->field, fault->used, used), amount(fault->field, fault->asked, asked),
                ceiling_source(&fault->bound, source));
        if (err)
                err->mark = account->fault.mark;
        return -EDQUOT;
}

int quota_check_account(Account *account, CeilingField field, uint64_t used, uint64_t asked,
                        Error *err) {
        const CeilingValue *bound = &account->ceiling.items[field];
        const AccountFault fault = { field, used, asked, *bound, 0 };

        if (bound->value == CEILING_NONE || (used <= bound->value && asked <= bound->value - used))
                return 0;
        return quota_exceed(account, &fault, err);
}

int quota_charge_task(Front *front, uint32_t uid, Error *err) {
        Account *account;
        int r = account_find(front, uid, &account, err);

        if (r >= 0)
                r = quota_check_account(account, QUOTA_TASKS, account->used[QUOTA_TASKS], 1, err);
        if (r >= 0)
                account->used[QUOTA_TASKS]++;
        return r;
}

void quota_release_task(Front *front, uint32_t uid) {
        Account *account = account_of(front->accounts, uid);

        if (account)
                account->used[QUOTA_TASKS]--;
}

int quota_reserve_import(Front *front, uint32_t uid, uint64_t bytes, Error *err) {
        Account *account = account_of(front->accounts, uid);

        if (!account)
                return error_say(err, -EDQUOT, "there is no account left for user id %u", uid);
        account->used[QUOTA_SNAPSHOT_DISK] += bytes;
        return 0;
}

void quota_release_import(Front *front, uint32_t uid, uint64_t bytes) {
        Account *account = account_of(front->accounts, uid);

        if (account)
                account->used[QUOTA_SNAPSHOT_DISK] -= bytes;
}

uint64_t quota_reserved(Front *front, uint32_t uid) {
        const Account *account = account_of(front->accounts, uid);

        return account ? account->used[QUOTA_SNAPSHOT_DISK] : 0;
}

static void leak(Account *account, uint64_t bound) {
        uint64_t now = units_monotonic(), past = now - account->creates_at, lost;

        lost = past >= ACCOUNT_MINUTE_USEC ? UINT64_MAX : past * bound / 60;
        account->creates = account->creates > lost ? account->creates - lost : 0;
        account->creates_at = now;
}

int quota_charge_create(Front *front, uint32_t uid, Error *err) {
        return quota_charge_creates(front, uid, 1, err);
}

int quota_charge_creates(Front *front, uint32_t uid, unsigned n, Error *err) {
        AccountFault fault = { .field = QUOTA_CREATES, .asked = n };
        Account *account;
        int r = account_find(front, uid, &account, err);

        if (r < 0)
                return r;
        fault.bound = account->ceiling.items[QUOTA_CREATES];
        if (fault.bound.value == CEILING_NONE)
                return 0;
        leak(account, fault.bound.value);
        if (account->creates + n * CREATE > fault.bound.value * CREATE) {
                fault.used = (account->creates + CREATE - 1) / CREATE;
                return quota_exceed(account, &fault, err);
        }
        account->creates += n * CREATE;
        return 0;
}

uint64_t quota_used(Front *front, uint32_t uid, CeilingField field) {
        Account *account;

        if (account_find(front, uid, &account, NULL) < 0)
                return 0;
        if (field != QUOTA_CREATES)
                return account->used[field] - account->ending[field];
        leak(account, account->ceiling.items[QUOTA_CREATES].value);
        return (account->creates + CREATE - 1) / CREATE;
}

int quota_check(Front *front, uint32_t uid, CeilingField field, uint64_t used, uint64_t more,
                Error *err) {
        Account *account;
        int r = account_find(front, uid, &account, err);

        return r < 0 ? r : quota_check_account(account, field, used, more, err);
}

void quota_refuse(Front *front, Call *call, const Error *err) {
        const Account *account = account_of(front->accounts, call_peer(call)->uid);
        char source[CEILING_SOURCE_MAX];
        cJSON *data;

        if (!account || err->mark == 0 || err->mark != account->fault.mark)
                return;
        call_refuse(call, "quota", NULL,
                    account->fault.field == QUOTA_CREATES
                            ? "wait a minute, or ask the administrator for more"
                            : "end something of yours, or ask the administrator for more");
        data = call_data(call);
        json_add_text(data, "field", ceiling_field_name(account->fault.field));
        json_add_number(data, "used", account->fault.used);
        json_add_number(data, "asked", account->fault.asked);
        json_add_number(data, "bound", account->fault.bound.value);
        json_add_text(data, "source", ceiling_source(&account->fault.bound, source));
}
