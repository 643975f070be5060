from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs_app", "0008_kind_calibrate"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="body_sha256",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of the body that was sent with the key; empty in rows of before.",
                max_length=64,
            ),
            preserve_default=False,
        ),
    ]
