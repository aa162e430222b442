// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate list: the objects that are registered now, and what saving them would take.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "compare.h"
#include "live.h"

struct args {
	struct live live;
	const char *state;
};

enum { OPTION_STATE = 0x300 };

static const struct argp_option list_options[] = {
	{ "state", OPTION_STATE, "NAME", 0, "Only objects of this state", 0 },
	{}
};

static error_t parse_list(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->live;
		return 0;
	case OPTION_STATE:
		a->state = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp list_argp = {
	.options = list_options, .parser = parse_list, .children = sysfs_options,
	.doc = "List the objects of the running kernel that would be saved at a jump, with the bytes of their records and who describes them.\vThe kernel saves them for it to where nothing is carried over, and calls their functions. Exit status: 0 all can be saved, 3 some cannot: a kexec is refused.",
};

/* An object, as it is told */
struct row {
	char *object;
	char *image;
	char *type;
	char *refused;		/* why it cannot be saved, or NULL */
	long long bytes;
	json_t *json;
};

struct list {
	struct row *rows;
	size_t nr;
	size_t room;
	size_t refused;
	long long bytes;
};

/* Who describes a state: the catalogue of the running kernel knows, if it has one */
static enum status open_catalogue(const struct live *live, struct source *s, struct side *side,
				  struct trouble *t)
{
	struct trouble none = {};
	enum status status;
	char path[4096];

	snprintf(path, sizeof(path), "%s/catalog", live->sysfs);
	options.mixed = true;
	status = source_open(s, path, &none);
	/* A kernel that describes nothing in its images may have registered something */
	return status ? STATUS_OK : side_init(side, s->set, t);
}

static enum status add_row(struct list *list, const struct side *side, json_t *json,
			   struct trouble *t)
{
	const char *object = json_member(json, "object");
	const json_t *err = json_object_get(json, "error");
	char *state = strndup(object, strcspn(object, "["));
	const struct state_info *info;
	struct row *row, *more;
	size_t nr = 0;

	if (list->nr == list->room) {
		more = reallocarray(list->rows, 2 * list->room + 64, sizeof(*more));
		if (!more || !state) {
			free(state);
			json_decref(json);
			return trouble(t, STATUS_SYSTEM, "no memory");
		}
		list->rows = more;
		list->room = 2 * list->room + 64;
	}
	info = state ? side_find(side, state, &nr) : NULL;
	row = &list->rows[list->nr++];
	*row = (struct row){
		.object = printable(object), .json = json,
		.image = printable(nr ? info->image : "-"),
		.type = printable(nr ? info->type : ""),
		.bytes = json_number(json, "bytes"),
	};
	list->bytes += row->bytes;
	if (err) {
		list->refused++;
		row->refused = error_text(err);
	}
	json_object_set_new(json, "image", nr ? json_string(row->image) : json_null());
	json_object_set_new(json, "type", nr ? json_string(row->type) : json_null());
	free(state);
	return STATUS_OK;
}

static bool is_wanted(const char *object, const char *state)
{
	size_t len = state ? strlen(state) : 0;

	return !state || (!strncmp(object, state, len) && object[len] == '[');
}

static enum status read_objects(const struct args *a, const struct side *side, struct list *list,
				struct trouble *t)
{
	char *text = sysfs_read(a->live.sysfs, "objects", t), *rest = text, *line;
	enum status status = text ? STATUS_OK : t->status;

	while (!status && (line = strsep(&rest, "\n"))) {
		json_t *json = *line ? json_loads(line, 0, NULL) : NULL;
		const char *object = json_string_value(json_object_get(json, "object"));

		if (*line && !object)
			status = trouble(t, STATUS_KERNEL,
					 "%s/objects: has a line that makes no sense: %s",
					 a->live.sysfs, line);
		if (!object || !is_wanted(object, a->state)) {
			json_decref(json);
			continue;
		}
		progress("objects", list->nr, 0);
		status = add_row(list, side, json, t);
	}
	progress_end();
	free(text);
	return status;
}

static void print_list(const struct list *list)
{
	int object = strlen("object"), image = strlen("image");

	for (size_t i = 0; i < list->nr; i++) {
		object = text_width(object, list->rows[i].object);
		image = text_width(image, list->rows[i].image);
	}
	if (list->nr)
		printf("%s%-*s  %9s  %-*s  type%s\n", colour(BOLD), object, "object", "bytes",
		       image, "image", colour(PLAIN));
	for (size_t i = 0; i < list->nr; i++) {
		const struct row *row = &list->rows[i];

		if (row->refused)
			printf("%-*s  %9s  %s%s%s\n", object, row->object, "-", colour(RED),
			       row->refused, colour(PLAIN));
		else
			printf("%-*s  %9lld  %-*s  %s\n", object, row->object, row->bytes, image,
			       row->image, row->type);
	}
	printf("%zu object%s, %lld bytes", list->nr, list->nr == 1 ? "" : "s", list->bytes);
	if (list->refused)
		printf("; %s%zu cannot be saved: a kexec is refused%s", colour(RED), list->refused,
		       colour(PLAIN));
	putchar('\n');
}

static enum status print_list_json(const struct list *list, struct trouble *t)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < list->nr; i++)
		json_array_append(objects, list->rows[i].json);
	return print_json(json_pack("{s:o,s:I,s:I}", "objects", objects, "bytes",
				    (json_int_t)list->bytes, "refused",
				    (json_int_t)list->refused), t);
}

static void free_list(struct list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->rows[i].object);
		free(list->rows[i].image);
		free(list->rows[i].type);
		free(list->rows[i].refused);
		json_decref(list->rows[i].json);
	}
	free(list->rows);
}

enum status command_list(int argc, char **argv, struct trouble *t)
{
	struct list list = {};
	struct source s = {};
	struct side side = {};
	enum status status;
	struct args a = {};

	if (argp_parse(&list_argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	status = sysfs_begin(a.live.sysfs, t);
	status = status ?: open_catalogue(&a.live, &s, &side, t);
	status = status ?: read_objects(&a, &side, &list, t);
	if (!status && options.json)
		status = print_list_json(&list, t);
	else if (!status)
		print_list(&list);
	if (!status && list.refused)
		status = STATUS_BLOCKED;
	free_list(&list);
	side_free(&side);
	source_close(&s);
	return status;
}
