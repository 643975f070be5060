import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The table stays as it is: it gets a model of its own, by which a run that is taken over cannot be deleted."""

    dependencies = [
        ("runs_app", "0009_body_of_a_key"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="TakenOver",
                    fields=[
                        ("id", models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        )),
                        ("from_run", models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs_app.run"
                        )),
                        ("to_run", models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="runs_app.run"
                        )),
                    ],
                    options={"db_table": "runs_app_run_taken_over", "unique_together": {("from_run", "to_run")}},
                ),
                migrations.AlterField(
                    model_name="run",
                    name="taken_over",
                    field=models.ManyToManyField(
                        blank=True,
                        help_text="Of a parent that goes on: trainings of earlier parents, whose policies it judges "
                        "with its own.",
                        related_name="taken_by", through="runs_app.TakenOver", through_fields=("from_run", "to_run"),
                        to="runs_app.run",
                    ),
                ),
            ],
        ),
    ]  # fmt: skip
