/* The effective configuration, for files and for people. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "units.h"

static const char *origin(const pel__bound *b) {
  if (!b->entry) return "default";
  return b->entry->override >= 0 ? "command line" : "file";
}

/* Numbers, true and false, else the text; a word ("auto") as text. */
static json_t *json_value(const pel__bound *b) {
  const pel__value *v = &b->value;
  char text[PEL__SHOWN];
  if (!v->word) switch (b->param->type) {
      case PEL_REAL:
        return json_real(v->real);
      case PEL_INT:
        return json_integer(v->integer);
      case PEL_BOOL:
        return json_boolean(v->boolean);
      case PEL_TEXT:
        return json_string(v->text);
      case PEL_CHOICE:
        break;
    }
  pel__value_show(b->param, v, text);
  return json_string(text);
}

char *pel__config_json(const pel__config *c) {
  json_t *root = json_object();
  for (int i = 0; i < c->nbound; ++i) {
    const pel__bound *b = &c->bound[i];
    if (b->missing) continue;
    json_t *section = json_object_get(root, b->section);
    if (!section) {
      section = json_object();
      json_object_set_new(root, b->section, section);
    }
    json_t *entry = json_object();
    json_object_set_new(entry, "value", json_value(b));
    if (!pel__unit_is_plain(b->param->unit))
      json_object_set_new(entry, "unit", json_string(b->param->unit));
    json_object_set_new(entry, "origin", json_string(origin(b)));
    if (b->entry && b->entry->override >= 0) /* to be said again when the run is resumed */
      json_object_set_new(entry, "given", json_string(b->entry->value));
    if (b->entry && b->entry->line > 0)
      json_object_set_new(entry, "line", json_integer(b->entry->line));
    json_object_set_new(section, b->param->key, entry);
  }
  char *text = json_dumps(root, JSON_INDENT(2));
  json_decref(root);
  return text;
}

static void print_key(const pel__config *c, const pel__bound *b, FILE *out) {
  char value[PEL__SHOWN], line[2 * PEL__SHOWN];
  pel__value_show(b->param, &b->value, value);
  const bool unit = b->param->type == PEL_REAL && !b->value.word;
  snprintf(line, sizeof line, "%s = %s%s%s", b->param->key, value,
           unit && !pel__unit_is_plain(b->param->unit) ? " " : "",
           unit && !pel__unit_is_plain(b->param->unit) ? b->param->unit : "");
  if (b->entry && b->entry->line > 0)
    fprintf(out, "%-36s # %s:%d\n", line, c->path, b->entry->line);
  else
    fprintf(out, "%-36s # %s\n", line, origin(b));
}

void pel__config_print(const pel__config *c, FILE *out) {
  for (int i = 0; i < c->nbound; ++i) {
    bool first = true;
    for (int j = 0; j < i; ++j)
      first = first && strcmp(c->bound[j].section, c->bound[i].section) != 0;
    if (!first) continue;
    fprintf(out, "%s[%s]\n", i ? "\n" : "", c->bound[i].section);
    for (int j = i; j < c->nbound; ++j)
      if (!c->bound[j].missing && strcmp(c->bound[j].section, c->bound[i].section) == 0)
        print_key(c, &c->bound[j], out);
  }
}
