#pragma once
/*
 * role: who a step's model is told to be (warder-role(5)). Fixed during a run.
 */
#include "agent/roles/guard-rules.h"
#include "agent/tools/tool.h"
#include "base/json.h"

#define ROLE_TURNS_DEFAULT  40
#define ROLE_TURNS_MAX      1000
#define ROLE_TOKENS_DEFAULT 100000

typedef struct Role {
        char *name;               /* owned */
        cJSON *json;              /* owned */
        ToolBox *tools;           /* owned */
        const char *instructions; /* borrowed from json */
        const cJSON *output;      /* borrowed from json; NULL: plain text */
        unsigned max_turns;
        size_t tokens; /* what of the thread is shown at most, estimated */
        OutputRules output_rules;
        GuardRules guards;
        bool may_edit; /* it has a tool that changes files and does nothing else */
} Role;

/**
 * role_new() - check a role and make its tool box
 * @name: what the run calls it; "name" in the object must agree where it is given
 *
 * Returns: 0, -EINVAL with the JSON path, -ENOMEM.
 */
int role_new(const char *name, const cJSON *json, Role **ret_role, Error *err);
/** role_free() - release it. Returns: NULL */
Role *role_free(Role *role);
DEFINE_SCOPED(Role *, role_free);

#define ROLES_MAX 32

typedef struct RoleSet {
        Role *items[ROLES_MAX]; /* owned */
        unsigned n;
} RoleSet;

/** roles_load() - every role of {name: object}. Returns: 0 or as role_new(); roles_deinit() in each case */
int roles_load(RoleSet *set, const cJSON *roles, Error *err);
/** roles_deinit() - release all */
void roles_deinit(RoleSet *set);
/** roles_find() - by name. Returns: borrowed, NULL where there is none */
Role *roles_find(const RoleSet *set, const char *name);
