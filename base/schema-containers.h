#pragma once
/*
 * schema-containers: keywords about arrays and objects, rows of the table in schema.c. All are SchemaKeyFn.
 */
#include "base/schema-walk.h"

/** schema_key_items() - elements behind prefixItems fit this schema */
int schema_key_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value);
/** schema_key_prefix_items() - the first elements fit these schemas */
int schema_key_prefix_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                            const cJSON *value);
/** schema_key_min_items() - at least so many elements */
int schema_key_min_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                         const cJSON *value);
/** schema_key_max_items() - at most so many elements */
int schema_key_max_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                         const cJSON *value);
/** schema_key_unique_items() - no two elements are equal */
int schema_key_unique_items(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                            const cJSON *value);
/** schema_key_properties() - members of these names fit these schemas */
int schema_key_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value);
/** schema_key_pattern_properties() - members whose names match fit these schemas */
int schema_key_pattern_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                                  const cJSON *value);
/** schema_key_additional() - members that neither names fit this schema */
int schema_key_additional(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value);
/** schema_key_required() - members of these names are there */
int schema_key_required(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                        const cJSON *value);
/** schema_key_min_properties() - at least so many members */
int schema_key_min_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value);
/** schema_key_max_properties() - at most so many members */
int schema_key_max_properties(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value);
/** schema_key_property_names() - every name fits this schema */
int schema_key_property_names(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                              const cJSON *value);
