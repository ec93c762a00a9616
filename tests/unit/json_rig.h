/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the JSON sink share. Every line is read back by another library than wrote it.
 */
#ifndef TEST_JSON_RIG_H
#define TEST_JSON_RIG_H

#include <jansson.h>

#include "sink_rig.h"

/* The members of @object in their order, with blanks in between. */
static inline void expect_members(const json_t *object, const char *expected)
{
	char members[1024] = "";
	const char *key;
	json_t *value;

	assert_true(json_is_object(object));
	json_object_foreach((json_t *)object, key, value)
	{
		assert_true(strlen(members) + strlen(key) + 2 < sizeof(members));
		if (*members)
			strcat(members, " ");
		strcat(members, key);
	}
	assert_string_equal(members, expected);
}

/* @path is "member.member" */
static inline const json_t *at(const json_t *object, const char *path)
{
	char copy[128], *rest, *key;

	assert_true(strlen(path) < sizeof(copy));
	strcpy(copy, path);
	for (key = strtok_r(copy, ".", &rest); key; key = strtok_r(NULL, ".", &rest)) {
		object = json_object_get(object, key);
		assert_non_null(object);
	}
	return object;
}

static inline void expect_integer(const json_t *object, const char *path, json_int_t expected)
{
	assert_true(json_is_integer(at(object, path)));
	assert_true(json_integer_value(at(object, path)) == expected);
}

static inline void expect_text(const json_t *object, const char *path, const char *expected)
{
	assert_true(json_is_string(at(object, path)));
	assert_string_equal(json_string_value(at(object, path)), expected);
}

static inline void expect_null(const json_t *object, const char *path)
{
	assert_true(json_is_null(at(object, path)));
}

static inline void expect_strings(const json_t *array, const char *const *expected, size_t count)
{
	assert_true(json_is_array(array));
	assert_int_equal(json_array_size(array), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(json_string_value(json_array_get(array, i)), expected[i]);
}

/* The only line written since open, ended by a newline; then the rig is closed. */
static inline json_t *only_line(struct sink_rig *rig)
{
	const char *text = sink_rig_text(rig);
	json_error_t error;
	json_t *object;

	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", error.text, text);
	sink_rig_close(rig);
	return object;
}

#endif /* TEST_JSON_RIG_H */
