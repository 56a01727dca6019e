from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200)),
                ("cents", models.PositiveIntegerField()),
                ("card", models.CharField(max_length=20)),
                ("status", models.CharField(default="new", max_length=20)),
                ("receipts", models.PositiveIntegerField(default=0)),
            ],
        ),
    ]
