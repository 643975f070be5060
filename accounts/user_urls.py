from django.urls import path

from accounts import api

app_name = "users"

urlpatterns = [
    path("profile", api.Profile.as_view(), name="profile"),
]
